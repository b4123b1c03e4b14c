"""What models have in common: the types of their members say how they are read from JSON and written as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, Union, cast, get_args, get_origin

from .types import UNSET, File, Unset

T = TypeVar("T")
Read = Callable[[Any, str], Any]
Member = tuple[str, str, Read, bool, bool, type]
"""Its name, its name in JSON, what reads it, whether it is required, whether it is written as it is, and what is read as it is."""
MISFITS = (AttributeError, KeyError, TypeError, ValueError)
"""What reading raises where JSON is not as the spec has it."""
_PLAIN: tuple[type, ...] = (str, int, float, bool)
_AS_IT_IS = frozenset({*_PLAIN, NoneType})


class Model:
    """What all models have in common: they are equal where all that they hold is, and show it, but for secrets."""

    __slots__ = ("__weakref__",)
    _hidden: ClassVar[tuple[str, ...]] = ()
    _wire: ClassVar[Mapping[str, str]] = {}
    _extra: ClassVar[str | None] = None
    _members: ClassVar[Iterable[Member] | None] = None
    _read_extra: ClassVar[Read | None] = None

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._names())

    __hash__ = None  # type: ignore[assignment] # it can be changed

    def __repr__(self) -> str:
        held = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in self._names() if name not in self._hidden
        )
        return f"{type(self).__name__}({held})"

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        names: tuple[str, ...] = getattr(cls, "__match_args__", ())
        return names if cls._extra is None else (*names, "additional_properties")

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found: dict[str, Any] = {}
        if self._extra is not None:
            extra = cast("OpenModel[Any]", self).additional_properties
            found.update(extra if self._extra == "Any" else encode(extra))
        for name, wire, _, _, is_plain, _ in _prepare(type(self)) if self._members is None else self._members:
            value = getattr(self, name)
            if value is not UNSET:
                found[wire] = value if is_plain else encode(value)
        return found

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if type(src_dict) is not dict and not isinstance(src_dict, Mapping):
            raise TypeError(f"{cls.__name__} must be an object, got {type(src_dict).__name__}")
        members = _prepare(cls) if cls._members is None else cls._members
        rest = dict(src_dict)
        made = object.__new__(cls)
        for name, wire, read, is_required, _, as_it_is in members:
            value = rest.pop(wire, UNSET)
            if type(value) is not as_it_is:
                if value is not UNSET:
                    value = read(value, wire)
                elif is_required:
                    raise KeyError(wire)
            setattr(made, name, value)
        if cls._extra is not None:
            if cls._extra != "Any" and cls._read_extra is not None:
                rest = {name: cls._read_extra(value, name) for name, value in rest.items()}
            cast("Any", made).additional_properties = rest
        return made


class OpenModel(Model, Generic[T]):
    """A model that keeps the members that the spec does not have.

    Attributes:
        additional_properties: These members.
    """

    __slots__ = ("additional_properties",)
    _extra = "Any"

    additional_properties: dict[str, T]

    @property
    def additional_keys(self) -> list[str]:
        """The names of the members that the spec does not have."""
        return list(self.additional_properties)

    def __getitem__(self, key: str) -> T:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: T) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


class Other(OpenModel[Any]):
    """One of a choice of models that the spec does not know yet. It is kept, members and all."""

    __slots__ = ()

    def __init__(self) -> None:
        self.additional_properties = {}


def encode(value: Any) -> Any:
    """Return a value as JSON has it."""
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [encode(each) for each in value]
    if isinstance(value, dict):
        return {name: encode(each) for name, each in value.items()}
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if type(value).__name__ == "UUID" else value


@lru_cache(maxsize=1024)
def reader(annotation: str, package: str) -> Read:
    """Return what reads values of a type: `read(value, name)`.

    Args:
        annotation: The type, as code has it.
        package: Where the models are that it names.
    """
    return _reader(eval(annotation, {}, _Names(package)))  # noqa: S307 (it is our own code) # nosec B307


class _Names(dict[str, Any]):
    """What an annotation may name; models are imported when one does."""

    def __init__(self, package: str) -> None:
        super().__init__(Any=Any, Literal=Literal, Unset=Unset, File=File, Other=Other)
        self._package = package

    def __missing__(self, name: str) -> Any:
        # These take more time, with what they import, than a client of a document without any.
        if name == "datetime":
            return import_module(name)
        if name == "UUID":
            return import_module("uuid").UUID
        models = import_module(self._package)
        if name not in models.__all__:
            raise KeyError(name)
        return getattr(models, name)


def _prepare(cls: type[Model]) -> Iterable[Member]:
    """Find out how the members of a class are read and written."""
    owner: Any = next((base for base in cls.__mro__ if "__match_args__" in vars(base)), cls)
    package = owner.__module__.rpartition(".")[0]
    members = []
    for name in getattr(owner, "__match_args__", ()):
        annotation = owner.__annotations__[name]
        kinds = annotation.split(" | ")
        is_plain = {*kinds} <= {"Any", "str", "int", "float", "bool", "None", "Unset"}
        members.append(
            (
                name,
                owner._wire.get(name, name),
                reader(annotation, package),
                "Unset" not in kinds,
                is_plain,
                str if is_plain and "str" in kinds else Model,  # nothing is a bare Model
            )
        )
    if owner._extra not in (None, "Any"):
        owner._read_extra = staticmethod(reader(owner._extra, package))
    owner._members = members
    return members


def _reader(hint: Any) -> Read:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _choice_reader(inner)
    if origin is Literal:
        return _literal_reader(inner)
    if origin is list:
        return _list_reader(_reader(inner[0]))
    if origin is dict:
        return _dict_reader(_reader(inner[1]))
    if hint is Any:
        return lambda value, name: value
    if hint is None:
        return _checker(NoneType, "null")
    if issubclass(hint, Model):
        return lambda value, name: hint.from_dict(value)
    if issubclass(hint, Enum):
        return _enum_reader(hint)
    if hint.__module__ == "datetime":
        return _text_reader(hint.fromisoformat)
    if hint.__name__ == "UUID":
        return _text_reader(hint)
    return _checker(int | float if hint is float else hint, "int | float" if hint is float else hint.__name__)


def _checker(kind: Any, shown: str) -> Read:
    def read(value: Any, name: str) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be {shown}, got {type(value).__name__}")
        return value

    return read


def _text_reader(parse: Callable[[str], Any]) -> Read:
    def read(value: Any, name: str) -> Any:
        if not isinstance(value, str):
            raise TypeError(f"{name} must be str, got {type(value).__name__}")
        return parse(value)

    return read


def _enum_reader(kind: type[Enum]) -> Read:
    members = {each.value: each for each in kind}

    def read(value: Any, name: str) -> Any:
        found = members.get(value)  # what no member has, as Payman's own spelling of states, is common
        if found is None:
            raise ValueError(f"{value!r} is not a valid {kind.__name__}")
        return found

    return read


def _literal_reader(values: tuple[Any, ...]) -> Read:
    def read(value: Any, name: str) -> Any:
        for each in values:
            if value == each and type(value) is type(each):
                return value
        raise ValueError(f"{name} must match const {', '.join(map(repr, values))}, got {value!r}")

    return read


def _list_reader(item: Read) -> Read:
    def read(value: Any, name: str) -> Any:
        if not isinstance(value, list):
            raise TypeError(f"{name} must be a list, got {type(value).__name__}")
        return [item(each, name) for each in value]

    return read


def _dict_reader(item: Read) -> Read:
    def read(value: Any, name: str) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError(f"{name} must be an object, got {type(value).__name__}")
        return {key: item(each, key) for key, each in value.items()}

    return read


def _choice_reader(hints: tuple[Any, ...]) -> Read:
    """Return what reads one of several types: by what JSON calls the value, then by constants, then in their order."""
    hints = tuple(hint for hint in hints if hint is not Unset)
    if len(hints) == 1 or Any in hints:
        return _reader(hints[0] if len(hints) == 1 else Any)
    models = [
        hint for hint in hints if isinstance(hint, type) and issubclass(hint, Model) and hint is not Other
    ]
    objects = [_reader(hint) for hint in hints if get_origin(hint) is dict]
    lists = [_reader(hint) for hint in hints if get_origin(hint) is list]
    plain = any(hint in _PLAIN for hint in hints)
    others = [
        _reader(hint)
        for hint in hints
        if hint is not NoneType
        and hint not in (*_PLAIN, *models, Other)
        and get_origin(hint) not in (dict, list)
    ]
    readers = {model: _reader(model) for model in models}
    constants = {model: _constants(model) for model in models}
    # What most answers hold is read without trying everything.
    enums = [hint for hint in hints if isinstance(hint, type) and issubclass(hint, Enum)]
    texts = {each.value: each for hint in reversed(enums) for each in hint}
    is_text = plain and len(others) == len(enums)
    only: dict[type, Read] = (
        {dict: readers[models[0]]} if [*constants.values()] == [{}] and not objects else {}
    )
    only |= {list: lists[0]} if len(lists) == 1 else {}
    tag, tagged = ("", {}) if objects else _find_tag(constants)

    def fits(model: type[Model], value: Mapping[str, Any]) -> bool:
        for wire, known in constants[model].items():  # noqa: SIM110 (a generator takes much longer)
            if value.get(wire, known[0]) not in known:
                return False
        return True

    def read(value: Any, name: str) -> Any:
        kind = type(value)
        if kind is str and is_text:
            return texts.get(value, value)
        if kind in only and not plain:
            return only[kind](value, name)
        if value is None and NoneType in hints:
            return None
        tried: list[Read] = []
        if kind is dict and type(text := value.get(tag, "")) is str and text in tagged:
            tried = [readers[model] for model in tagged[text]]
        elif kind is dict or isinstance(value, Mapping):
            fitting = [model for model in models if fits(model, value)]
            if not fitting and Other in hints and any(wire in value for wire in constants[models[0]]):
                return Other.from_dict(value)
            if (
                len(fitting) + len(objects) > 1
            ):  # first what knows most of it, last what would lose some of it
                unknown = {
                    model: len(value.keys() - {member[1] for member in model._members or _prepare(model)})
                    for model in fitting
                }
                lossy = [model for model in fitting if unknown[model] and model._extra is None]
                fitting = sorted((model for model in fitting if model not in lossy), key=unknown.__getitem__)
                tried = [*map(readers.__getitem__, fitting), *objects, *map(readers.__getitem__, lossy)]
            else:
                tried = [readers[model] for model in fitting] + objects
        elif isinstance(value, list):
            tried = lists
        elif value is not None:
            tried = others
            if plain and not others:
                return value
        if len(tried) == 1 and not plain:
            return tried[0](value, name)  # the only thing it can be: what is wrong with it is the error
        for each in tried:
            try:
                return each(value, name)
            except MISFITS:
                pass
        if plain and value is not None and not isinstance(value, Mapping | list):
            return value
        shown = " | ".join(
            "None"
            if hint is NoneType
            else getattr(hint, "__name__", str(hint))
            if not get_args(hint)
            else str(hint)
            for hint in hints
        )
        raise TypeError(f"{name} must be {shown}, got {type(value).__name__}")

    return read


def _find_tag(
    constants: Mapping[type[Model], Mapping[str, tuple[Any, ...]]],
) -> tuple[str, dict[Any, list[type[Model]]]]:
    """Return the member that names a model, and for what it holds the models to try: that one, and one without a constant that knows no more."""
    named = [model for model, found in constants.items() if found]
    tags = {wire for found in constants.values() for wire in found}
    texts = [text for found in constants.values() for known in found.values() for text in known]
    others = [*constants][len(named) :]
    tagged = {text: [model, *others] for text, model in zip(texts, named, strict=False)}
    known = {model: {model._wire.get(name, name) for name in model._names()} for model in constants}
    is_clear = (
        len(tags) == 1 and len(texts) == len(tagged) == len(named) and not any(map(constants.get, others))
    )
    is_first = len(others) < 2 and all(known[model] >= known[other] for model in named for other in others)
    return (tags.pop(), tagged) if is_clear and is_first else ("", {})


def _constants(model: type[Model]) -> dict[str, tuple[Any, ...]]:
    """Return the members of a model that have constant values, and these."""
    return {
        model._wire.get(name, name): get_args(eval(text.removesuffix(" | Unset"), {"Literal": Literal}))  # noqa: S307 # nosec B307
        for name, text in model.__annotations__.items()
        if text.startswith("Literal[") and text.removesuffix(" | Unset").endswith("]")
    }
