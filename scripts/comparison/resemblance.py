"""What only has another name: schemas, properties and parameters that vanish while others with the same content appear."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
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
    moved = old.schemas.keys() ^ new.schemas.keys()
    schemas = {name: schema for name, schema in {**old.schemas, **new.schemas}.items() if name in moved}
    kinds, count = dict.fromkeys(schemas, ""), 0
    while len({*kinds.values()}) > count:
        count = len({*kinds.values()})
        meanings = {name: keyed(_meaning(schema, kinds)) for name, schema in schemas.items()}
        numbers = {meaning: f"/{number}" for number, meaning in enumerate(dict.fromkeys(meanings.values()))}
        kinds = {name: numbers[meaning] for name, meaning in meanings.items()}
    return renames(old.schemas, new.schemas, lambda before, after: kinds[before] == kinds[after])


def alike(pair: Pair, old: Any, new: Any) -> bool:
    """Say whether two schemas mean the same, whatever words describe them."""
    return not differ(_meaning(old, pair.renamed), _meaning(new, {}))


def renames(
    old: Collection[str], new: Collection[str], is_same: Callable[[str, str], bool]
) -> dict[str, str]:
    """Pair names that are gone with new ones of the same thing, each once; of several, those that are most alike."""
    removed, added = [name for name in old if name not in new], [name for name in new if name not in old]
    candidates = [both for both in product(removed, added) if is_same(*both)]
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
