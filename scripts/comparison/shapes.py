"""Schemas without the differences that are only in how they are written, and names that only were exchanged for others."""

from collections.abc import Callable, Collection, Mapping
from difflib import SequenceMatcher
from itertools import product
from typing import Any

from scripts.comparison.contract import SCHEMAS, Contract, Node, mapping, pointed, schema_of, sequence
from scripts.comparison.keywords import types
from scripts.comparison.places import WORDS, Pair, differ, keyed

UNIONS = ("anyOf", "oneOf")
REMARKS = {"default", "deprecated", "readOnly", "writeOnly"}
"""What is said of a schema as a whole, also where it is a union."""


def unwrapped(schema: Node) -> tuple[Node, bool]:
    """Return a schema without null and without what only wraps it, and whether it allows null."""
    core, is_nullable = dict(schema), schema.get("nullable") is True
    if isinstance(core.get("type"), list):
        left = [name for name in core["type"] if name != "null"]
        is_nullable |= len(left) < len(core["type"])
        core["type"] = left[0] if len(left) == 1 else left or "null"
    if None in sequence(core.get("enum")):
        core["enum"] = [each for each in core["enum"] if each is not None]
        is_nullable = True
    for key in (*UNIONS, "allOf"):
        if key not in core:
            continue
        every = [schema_of(member) for member in sequence(core[key])]
        left_over = [member for member in every if member.get("type") != "null"]
        if key != "allOf":
            is_nullable |= len(left_over) < len(every)
            core[key] = left_over
        others = {other for other in core.keys() - WORDS if other != key and not other.startswith("x-")}
        if len(left_over) == 1 and not others - {"nullable"}:
            inner, is_null_inside = unwrapped(left_over[0])
            outer = {other: core[other] for other in core if other not in (key, "nullable")}
            return {**inner, **outer}, is_nullable or is_null_inside
        kinds = [member.get("type") for member in left_over]
        if key != "allOf" and kinds and not others and all(member.keys() == {"type"} for member in left_over):
            core["type"] = [it for kind in kinds for it in (kind if isinstance(kind, list) else [kind])]
            del core[key]
    return core, is_nullable


def has_class(schema: Node) -> bool:
    """Return whether the generated client has a separate class for a schema."""
    return types(schema) == frozenset({"object"}) or "allOf" in schema or "enum" in schema


def without(keys: Collection[str], schema: Node) -> Node:
    """Return a schema without some of its keys."""
    return {key: inner for key, inner in schema.items() if key not in keys}


def bases(schema: Node) -> list[Node]:
    """Return the references to what a schema is composed of."""
    return [member for member in (schema, *map(schema_of, sequence(schema.get("allOf")))) if pointed(member)]


def composed(contract: Contract, schema: Node, is_whole: bool, seen: frozenset[str] = frozenset()) -> Node:
    """Return what an `allOf` comes out as.

    Args:
        contract: The document.
        schema: The schema.
        is_whole: Whether what it refers to is put in; otherwise only what is written here.
        seen: What was put in already.
    """
    if "allOf" not in schema:
        reference = pointed(schema)
        if reference is None:
            return without(WORDS, schema)
        is_left_out = not is_whole or reference in seen
        return {} if is_left_out else composed(contract, contract.resolve(schema), True, seen | {reference})
    out: Node = {}
    for member in (*map(schema_of, sequence(schema["allOf"])), without({"allOf"}, schema)):
        part = composed(contract, member, is_whole, seen)
        properties = mapping(out.get("properties")) | mapping(part.get("properties"))
        required = sequence(out.get("required")) + sequence(part.get("required"))
        out |= part
        out |= {key: inner for key, inner in (("properties", properties), ("required", required)) if inner}
    return out


def is_union(schema: Node) -> bool:
    """Return whether a schema has alternatives."""
    return any(key in schema for key in UNIONS)


def members(schema: Node) -> list[Node]:
    """Return the alternatives; a schema that is not a union is its only one."""
    if not is_union(schema):
        return [without(WORDS | REMARKS, schema)]
    return [schema_of(member) for key in UNIONS for member in sequence(schema.get(key))]


def opened(contract: Contract, schema: Node, is_nullable: bool, other: Node) -> tuple[Node, bool]:
    """Return a schema as what it refers to where that is a union, to compare it with another union."""
    reference = pointed(schema)
    if reference is not None and reference not in map(pointed, members(other)):
        meant, is_null_inside = unwrapped(contract.resolve(schema))
        if is_union(meant):
            return without(WORDS, meant), is_nullable or is_null_inside
    return schema, is_nullable


def beside_union(schema: Node, other: Node) -> Node:
    """Return what is left to compare of a schema once alternatives were compared.

    If only one of the two is a union, all of the other was compared as an alternative, but for remarks.
    """
    if is_union(schema) and is_union(other):
        return without(UNIONS, schema)
    return {key: inner for key, inner in schema.items() if key in REMARKS}


_SETS = {"required", "enum", "type"}  # lists whose order means nothing
_MAPS = {"properties", "patternProperties", "dependentSchemas", "$defs"}  # mappings whose keys are names


def renamed_schemas(old: Contract, new: Contract) -> dict[str, str]:
    """Find the schemas that were renamed, by their old names; a name that stayed keeps its schema.

    Schemas refer to each other, also in circles. So all that come or go are one kind at first, and are distinguished by what they
    hold, then by what those hold that they refer to, and so on, until no kind falls into more kinds.
    """
    moved = old.schemas.keys() ^ new.schemas.keys()
    schemas = {name: schema for name, schema in {**old.schemas, **new.schemas}.items() if name in moved}
    kinds, count = dict.fromkeys(schemas, ""), 0
    while len({*kinds.values()}) > count:
        count = len({*kinds.values()})
        kinds = {name: f"/{hash(keyed(_meaning(schema, kinds)))}" for name, schema in schemas.items()}
    return renames(old.schemas, new.schemas, lambda before, after: kinds[before] == kinds[after])


def alike(pair: Pair, old: Any, new: Any) -> bool:
    """Return whether two schemas mean the same, whatever words describe them."""
    return not differ(_meaning(old, pair.renamed), _meaning(new, {}))


def renames(old: Node, new: Node, is_same: Callable[[str, str], bool]) -> dict[str, str]:
    """Pair names that are gone with new ones of the same thing, each once; of several, those that are most alike."""
    removed, added = [name for name in old if name not in new], [name for name in new if name not in old]
    candidates = [both for both in product(removed, added) if is_same(*both)]
    pairs: dict[str, str] = {}
    for before, after in sorted(candidates, key=_rank):
        if before not in pairs and after not in pairs.values():
            pairs[before] = after
    return pairs


def _rank(names: tuple[str, str]) -> tuple[float, str, str]:
    first, second = sorted(names)
    one, other = sorted((first.lower(), second.lower()))  # the measure depends on the order
    return -SequenceMatcher(None, one, other).ratio(), first, second


def _meaning(value: Any, names: Mapping[str, str]) -> Any:
    """Return a schema without words, and with other names for some of the schemas that it refers to."""
    if isinstance(value, list):
        return [_meaning(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    if (reference := pointed(value)) is not None:
        name = reference.rpartition("/")[2]
        return {"$ref": SCHEMAS + names.get(name, name) if reference.startswith(SCHEMAS) else reference}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if key in _SETS and isinstance(inner, list):
            found[key] = sorted(map(keyed, inner))
        elif key in _MAPS and isinstance(inner, dict):
            found[key] = {name: _meaning(each, names) for name, each in inner.items()}
        elif key not in WORDS and not str(key).startswith("x-"):
            found[key] = _meaning(inner, names)
    return found
