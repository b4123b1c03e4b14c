"""Dicts that can also be read by attributes: what answers and events are made of."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, get_args, overload

from payman_sdk._annotations import build_instance_schema

T = TypeVar("T")


def _to_stored_key(key: Any) -> Any:
    """Return the key that a look-up means: a name in snake_case, anything else as it is."""
    if not isinstance(key, str):
        return key
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda capital: f"_{capital[0].lower()}", key)


class Record(dict[str, Any]):
    """A dict that stores snake_case names and understands camelCase ones too: to read, to change and to remove."""

    __slots__ = ()

    _keys: ClassVar[dict[str, Key[Any]]] = {}
    """The attributes that read a key of the same name."""

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        cls._keys = {**cls._keys, **{name: key for name, key in vars(cls).items() if isinstance(key, Key)}}
        _unknown_to_yaml.append(cls)
        register_with_yaml()

    def _find(self, key: Any) -> Any:
        """Return the key under which something is stored; the key itself where nothing is."""
        if super().__contains__(key):
            return key
        stored = _to_stored_key(key)
        return stored if super().__contains__(stored) else key

    def __missing__(self, key: str) -> Any:
        if (stored := self._find(key)) is key:
            raise KeyError(key)
        return super().__getitem__(stored)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or super().__contains__(_to_stored_key(key))

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(self._find(key), value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(self._find(key))

    def get(self, key: str, default: Any = None, /) -> Any:
        """Return the value of a key in either spelling, or the default."""
        return super().get(self._find(key), default)

    def pop(self, key: str, /, *default: Any) -> Any:
        """Remove a key in either spelling, and return its value, or the default where there is none."""
        return super().pop(self._find(key), *default)

    def setdefault(self, key: str, default: Any = None, /) -> Any:
        """Return the value of a key in either spelling, which is set to the default where there is none."""
        return super().setdefault(self._find(key), default)

    def copy(self) -> Self:
        """Return a copy that can be read by attributes too."""
        return copy.copy(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Have pydantic take a record as it is, make one of a dict, and describe its keys."""
        from pydantic_core import core_schema

        kinds: dict[str, Any] = {
            name: handler.generate_schema(get_args(key.__orig_class__)[0]) for name, key in cls._keys.items()
        }
        kinds |= {name: core_schema.literal_schema([getattr(cls, name)]) for name in cls._constants}
        members = {name: core_schema.typed_dict_field(kind, required=False) for name, kind in kinds.items()}
        shape = core_schema.typed_dict_schema(members, extra_behavior="allow", cls_name=cls.__name__)
        return build_instance_schema(cls, shape, cls, dict)

    _constants: ClassVar[tuple[str, ...]] = ()
    """Keys that are the same in all records of a class, and attributes of the class."""


_unknown_to_yaml: list[type[Record]] = []


def register_with_yaml() -> None:
    """Have PyYAML, where it is there, write records as mappings."""
    if _unknown_to_yaml and (yaml := cast("Any", sys.modules.get("yaml"))) is not None:
        while _unknown_to_yaml:
            kind = _unknown_to_yaml.pop()
            for representer in (yaml.representer.SafeRepresenter, yaml.representer.Representer):
                representer.add_representer(kind, representer.represent_dict)


class Key(Generic[T]):
    """An attribute that reads the key of the same name, through `read` if given."""

    __orig_class__: Any
    """`Key[…]` with the type of what it reads; `typing` sets it."""

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
