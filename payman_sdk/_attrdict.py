"""Dicts that can also be read by attributes: what answers and events are made of."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


def _to_stored_key(key: Any) -> Any:
    """Return the key that a look-up means: a name in snake_case, anything else as it is."""
    if not isinstance(key, str):
        return key
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda capital: f"_{capital[0].lower()}", key)


class Record(dict[str, Any]):
    """A dict that stores snake_case names and understands camelCase ones when asked."""

    __slots__ = ()

    def __missing__(self, key: str) -> Any:
        spelled = _to_stored_key(key)
        if super().__contains__(spelled):
            return super().__getitem__(spelled)
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(_to_stored_key(key))

    def get(self, key: str, default: Any = None, /) -> Any:
        """Return the value of a key in either spelling, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def copy(self) -> Self:
        """Return a copy that can be read by attributes too."""
        return copy.copy(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"


class Key(Generic[T]):
    """An attribute that reads the key of the same name.

    Args:
        read: What makes the attribute of what the dict has; without it, both are the same.
    """

    def __init__(self, read: Callable[[Any], T] | None = None) -> None:
        self._read = read

    def __set_name__(self, owner: type[Record], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, answer: None, owner: type[Record]) -> Self: ...
    @overload
    def __get__(self, answer: Record, owner: type[Record]) -> T: ...
    def __get__(self, answer: Record | None, owner: type[Record]) -> Self | T:
        if answer is None:
            return self
        try:
            value: T = answer[self._name]
        except KeyError:
            raise AttributeError(
                f"This {type(answer).__name__} has no {self._name!r}.", name=self._name, obj=answer
            ) from None
        return value if self._read is None else self._read(value)
