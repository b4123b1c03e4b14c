"""What only has another name: schemas, properties and parameters that vanish while others with the same content appear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher
from itertools import product
from typing import Any

from scripts.comparison.contract import SCHEMAS, Contract, pointed, schema_name
from scripts.comparison.places import WORDS, Pair, differ, keyed

_SETS = {"required", "enum", "type"}  # lists whose order means nothing
_MAPS = {"properties", "patternProperties", "dependentSchemas", "$defs"}  # mappings whose keys are names


def renamed_schemas(old: Contract, new: Contract) -> dict[str, str]:
    """Find the schemas that were renamed, by their old names; a name that stayed keeps its schema.

    Schemas refer to each other, also in circles. So all that come or go are one kind at first, and are told apart by what they
    hold, then by what those hold that they refer to, and so on, until no kind falls into more kinds.
    """
    schemas = {name: schema for name, schema in old.schemas.items() if name not in new.schemas}
    removed = [*schemas]
    schemas |= {name: schema for name, schema in new.schemas.items() if name not in old.schemas}
    kinds, count = dict.fromkeys(schemas, ""), 0
    while len({*kinds.values()}) > count:
        count = len({*kinds.values()})
        meanings = {name: keyed(_meaning(schema, kinds)) for name, schema in schemas.items()}
        numbers = {meaning: f"/{number}" for number, meaning in enumerate(dict.fromkeys(meanings.values()))}
        kinds = {name: numbers[meaning] for name, meaning in meanings.items()}
    added = [name for name in schemas if name not in old.schemas]
    return paired(removed, added, lambda before, after: kinds[before] == kinds[after])


def alike(pair: Pair, old: Any, new: Any) -> bool:
    """Say whether two schemas mean the same, whatever words describe them."""
    return not differ(_meaning(old, pair.renamed), _meaning(new, {}))


def paired(old: Iterable[str], new: Iterable[str], is_same: Callable[[str, str], bool]) -> dict[str, str]:
    """Pair what is the same, each once; of several that are, those whose names are most alike."""
    candidates = [both for both in product(old, new) if is_same(*both)]
    candidates.sort(key=lambda both: (-_closeness(*both), *sorted(both)))
    pairs: dict[str, str] = {}
    for before, after in candidates:
        if before not in pairs and after not in pairs.values():
            pairs[before] = after
    return pairs


def _closeness(one: str, other: str) -> float:
    first, second = sorted((one.lower(), other.lower()))  # the measure depends on the order
    return SequenceMatcher(None, first, second).ratio()


def _meaning(value: Any, names: Mapping[str, str]) -> Any:
    """Give a schema without words, and with other names for some of the schemas that it refers to."""
    if isinstance(value, list):
        return [_meaning(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    if (reference := pointed(value)) is not None:
        name = schema_name(reference)
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
