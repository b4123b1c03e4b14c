"""Dicts that can also be read by attributes: what answers and events are made of."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, cast, overload

T = TypeVar("T")


def _to_stored_key(key: Any) -> Any:
    """The key that a look-up means: a name in snake_case, anything else as it is."""
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
        """The value of a key in either spelling, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def copy(self) -> Self:
        """A copy that can be read by attributes too."""
        return copy.copy(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"


class Key(Generic[T]):
    """An attribute that reads the key of the same name."""

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
        return value


class LazyRecord(Record):
    """A record some of whose members are made when somebody first looks for them, because most of the time nobody does.

    Whoever looks at the whole of it (`dict(record)`, `json.dumps`, `==`, `pickle`) sees all of it. Only a serializer in
    another language that reads a dict's memory past its methods has to be given `dict(record)`.
    """

    __slots__ = ()

    def complete(self) -> Self:
        """Makes what is not made yet, and returns the record."""
        return self

    def __missing__(self, key: str) -> Any:
        spelled = _to_stored_key(key)
        if dict[str, Any].__contains__(self, spelled) or dict[str, Any].__contains__(
            self.complete(), spelled
        ):
            return dict[str, Any].__getitem__(self, spelled)
        raise KeyError(key)


def _complete_before(method: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(record: LazyRecord, *arguments: Any, **keywords: Any) -> Any:
        # A dict that is compared reads another's memory too.
        others = [other.complete() if isinstance(other, LazyRecord) else other for other in arguments]
        return method(record.complete(), *others, **keywords)

    wrapper.__name__, wrapper.__doc__ = method.__name__, method.__doc__
    return wrapper


_WHOLE = """__contains__ __delitem__ __eq__ __ior__ __iter__ __len__ __ne__ __or__ __reduce_ex__ __repr__ __reversed__
    __ror__ __setitem__ clear copy items keys pop popitem setdefault update values"""
for _name in _WHOLE.split():
    setattr(LazyRecord, _name, _complete_before(cast("Callable[..., Any]", getattr(Record, _name))))
