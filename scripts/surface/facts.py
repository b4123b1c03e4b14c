"""The facts about classes and functions, each a line of the record: of a class its kind, its bases, and its members.

Members of bases that are not public are included.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import griffe

_BY_SYNTAX = {
    *("__init__", "__call__", "__bool__", "__len__", "__contains__", "__getitem__", "__setitem__"),
    *("__delitem__", "__enter__", "__exit__", "__iter__", "__next__", "__aenter__", "__aexit__"),
    *("__aiter__", "__anext__", "__await__"),
}
"""What the language calls when a program uses an object: making it, `with`, `for`, `in`, `[]`, …"""

_SAY_NOTHING = frozenset({"object", "typing.Generic", "typing.Protocol", "typing.TypedDict"})
_READS_A_KEY = "payman_sdk._attrdict.Key"

Types = Mapping[str, str]
"""The types in place of the type variables of a generic base class."""


class Fact(NamedTuple):
    """One thing that users may rely on.

    Args:
        path: What it is about, such as `payman_sdk.PaymanClient.ask`.
        kind: What that is: class, enum, protocol, typed dict; def, async def, classmethod, staticmethod; alias, attribute (can be read
            and set), base, constant, fixture, key (of a dict that has all its keys), key, maybe (one that need not be there), marker (of
            pytest), member (of an enum), option (a key of a dict of which every key may be left out), option, required; read-only,
            same as, setting (in pytest's configuration file).
        detail: A signature, a type, a value, another path; empty where the kind says it all.
        home: The path under which the record has it, where that is another: that of a base class, or of another name.
    """

    path: str
    kind: str
    detail: str = ""
    home: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.kind} {self.detail}".rstrip()


def describe_class(made: griffe.Class, path: str, homes: Mapping[str, str]) -> Iterator[Fact]:
    """Yield the facts about a class.

    Args:
        made: The class.
        path: The path that it is recorded as.
        homes: The path in the record of everything public, by the path where it is defined.
    """
    lineage = [made, *made.mro()]
    kind = _find_kind(made, lineage)
    yield Fact(path, kind)
    yield from (Fact(path, "base", base) for base in _list_bases(made, homes))
    types = _find_types(made, {})
    # The record has the members of bases that are public there.
    public = [base for base in lineage[1:] if base.path in homes]
    above = {it.path: homes[base.path] for base in public for it in (base, *base.mro())}
    for name, found in made.all_members.items():
        member = found.final_target if isinstance(found, griffe.Alias) else found
        owner, given = member.parent, f"{path}.{name}"
        if not isinstance(owner, griffe.Class) or (name.startswith("_") and name not in _BY_SYNTAX):
            continue
        home = f"{above[owner.path]}.{name}" if owner.path in above else ""
        known = types.get(owner.path, {})
        if isinstance(member, griffe.Function):
            for fact in describe_function(member, given, known, is_method=True):
                yield fact._replace(home=home)
        elif isinstance(member, griffe.Attribute) and not name.startswith("_"):
            yield _attribute(member, owner, kind, given, known)._replace(home=home)


def _find_kind(made: griffe.Class, lineage: list[griffe.Class]) -> str:
    above = {_outside(base) for one in lineage for base in one.bases}
    if "typing.Protocol" in {_outside(base) for base in made.bases}:
        return "protocol"
    if "typing.TypedDict" in above:
        return "typed dict"
    return "enum" if any(base.startswith("enum.") for base in above) else "class"


def _look_up(made: griffe.Class, name: griffe.Expr | str) -> object:
    """What a class names, where it is one of ours."""
    try:
        found = made.modules_collection[_outside(name)]
        return found.final_target if found.is_alias else found
    except (KeyError, griffe.AliasResolutionError):
        return None


def _list_bases(made: griffe.Class, homes: Mapping[str, str]) -> Iterator[str]:
    """The bases that users may know; in the place of one that is not public stand its own."""
    for base in made.bases:
        found = _look_up(made, base)
        if not isinstance(found, griffe.Class):
            yield from {_outside(base)} - _SAY_NOTHING
        elif found.path in homes:
            yield homes[found.path]
        else:
            yield from _list_bases(found, homes)


def _find_types(made: griffe.Class, known: Types) -> dict[str, Types]:
    """The types in place of the type variables of each base."""
    result: dict[str, Types] = {}
    for base in made.bases:
        found = _look_up(made, base)
        if isinstance(found, griffe.Class):
            given = [type_text(text, known) for text in list_subscripts(base)]
            mine = dict(zip(_list_variables(found), given, strict=False))
            result = {**_find_types(found, mine), found.path: mine, **result}
    return result


def _list_variables(made: griffe.Class) -> list[str]:
    """The type variables of a class, in the order in which they are given."""
    declared = [base for base in made.bases if _outside(base) in ("typing.Generic", "typing.Protocol")]
    given = [part for base in declared or made.bases for part in list_subscripts(base)]
    return [str(it) for it in given if "TypeVar(" in str(getattr(_look_up(made, it), "value", ""))]


def _outside(base: griffe.Expr | str) -> str:
    """The path of a base, without what it is subscripted with; the package's own named tuples are those of `typing` to checkers."""
    path = base.canonical_path if isinstance(base, griffe.Expr) else str(base)
    return path.removeprefix("builtins.").replace("payman_sdk._annotations.NamedTuple", "typing.NamedTuple")


def list_subscripts(base: griffe.Expr | str | None) -> list[griffe.Expr | str]:
    """Return what a type is subscripted with."""
    if not isinstance(base, griffe.ExprSubscript):
        return []
    return list(getattr(base.slice, "elements", None) or [base.slice])


def describe_function(
    function: griffe.Function, path: str, types: Types | None = None, *, is_method: bool = False
) -> Iterator[Fact]:
    """Yield the facts about a function, one for each way to call it: parameters with their types, and `...` for defaults."""
    kinds = function.labels & {"staticmethod", "classmethod"}
    kind = next(iter(kinds), "async def" if "async" in function.labels else "def")
    for one in function.overloads or [function]:
        shown, returns = list[griffe.Parameter](), type_text(one.returns, types) or None
        for it in list(one.parameters)[is_method and kind != "staticmethod" :]:
            name = it.name.lstrip("_")  # attrs takes so what it keeps with an underscore
            annotation, default = type_text(it.annotation, types) or None, it.default and "..."
            shown.append(griffe.Parameter(name, annotation=annotation, kind=it.kind, default=default))
        made = griffe.Function("", parameters=griffe.Parameters(*shown), returns=returns)
        yield Fact(path, kind, made.signature())


def _attribute(member: griffe.Attribute, owner: griffe.Class, kind: str, path: str, types: Types) -> Fact:
    text = type_text(member.annotation, types)
    if kind == "enum" and member.annotation is None and "property" not in member.labels:
        return Fact(path, "member", str(member.value))
    if kind == "typed dict":
        return _key(text, path, total=str(owner.keywords.get("total")) != "False")
    if isinstance(member.value, griffe.ExprCall) and member.value.canonical_path == _READS_A_KEY:
        [key] = list_subscripts(member.value.function)
        return Fact(path, "read-only", type_text(key))
    is_frozen = any("frozen=True" in str(decorator.value) for decorator in owner.decorators)
    only_read = is_frozen or ("property" in member.labels and "writable" not in member.labels)
    return Fact(path, "read-only" if only_read else "attribute", text or _as_given(member, owner, types))


def _key(text: str, path: str, *, total: bool) -> Fact:
    marked = re.fullmatch(r"(Not)?Required\[(.*)\]", text)
    is_needed, kind = (not marked[1], marked[2]) if marked else (total, text)
    needed, other = ("key", "key, maybe") if total else ("option, required", "option")
    return Fact(path, needed if is_needed else other, kind)


def _as_given(member: griffe.Attribute, owner: griffe.Class, types: Types) -> str:
    """The type of an attribute that `__init__` sets to what it was given."""
    init = owner.members.get("__init__")
    if isinstance(init, griffe.Function) and str(member.value) in init.parameters:
        return type_text(init.parameters[str(member.value)].annotation, types)
    return ""


def type_text(expression: griffe.Expr | str | None, types: Types | None = None) -> str:
    """A type as the source has it, without quotes, and without type variables that are known; empty where there is none."""
    text = "" if expression is None else str(expression)
    if text.startswith(("'", '"')):
        text = str(ast.literal_eval(text))
    for variable, meant in (types or {}).items():
        text = re.sub(rf"(?<![\w.]){variable}(?!\w)", meant, text)
    return text
