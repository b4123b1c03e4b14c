"""What only has another name: schemas, properties and parameters that vanish while others with the same content appear."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from itertools import product
from typing import Any

from scripts.comparison.contract import SCHEMAS, Contract, Node, pointed, schema_name
from scripts.comparison.places import WORDS, Pair, differ, keyed

_SETS = {"required", "enum", "type"}  # lists whose order means nothing
_MAPS = {"properties", "patternProperties", "dependentSchemas", "$defs"}  # mappings whose keys are names


def renamed_schemas(old: Contract, new: Contract) -> dict[str, str]:
    """Find the schemas that were renamed, by their old names; a name that stayed keeps its schema."""
    removed = {name: schema for name, schema in old.schemas.items() if name not in new.schemas}
    added = {name: schema for name, schema in new.schemas.items() if name not in old.schemas}

    shapes = {id(schema): _shape(schema) for schema in (*removed.values(), *added.values())}

    def is_renamed(before: str, after: str) -> bool:
        one, other = removed[before], added[after]
        # Most pairs are told apart by their keys, which is far quicker where a document is replaced by another.
        is_close = shapes[id(one)] == shapes[id(other)]
        return is_close and _Likeness(removed, added, {(before, after)}).holds(one, other)

    return paired(removed, added, is_renamed)


def _shape(schema: Node) -> set[str]:
    properties = schema.get("properties")
    return _meaningful(schema) | (set(map(str, properties)) if isinstance(properties, dict) else set())


def _meaningful(schema: Node) -> set[str]:
    return {key for key in map(str, schema) if key not in WORDS and not key.startswith("x-")}


def alike(pair: Pair, old: Any, new: Any) -> bool:
    """Say whether two schemas mean the same, whatever words describe them."""
    return _Likeness({}, {}, set(), pair).holds(old, new)


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


class _Likeness:
    """Whether two schemas are the same, supposing that some names were exchanged for others.

    Schemas refer to each other, also in circles. So a renamed schema is supposed to be the same while it is compared.
    """

    def __init__(
        self,
        removed: dict[str, Node],
        added: dict[str, Node],
        supposed: set[tuple[str, str]],
        pair: Pair | None = None,
    ) -> None:
        self._removed = removed
        self._added = added
        self._supposed = supposed
        self._pair = pair

    def holds(self, old: Any, new: Any) -> bool:
        """Compare two schemas."""
        if not isinstance(old, dict) or not isinstance(new, dict):
            return not differ(old, new)
        before, after = pointed(old), pointed(new)
        if before is not None and after is not None:
            return self._refer_alike(before, after)
        keys = _meaningful(old)
        return keys == _meaningful(new) and all(self._agree(key, old[key], new[key]) for key in keys)

    def _agree(self, key: str, old: Any, new: Any) -> bool:
        if isinstance(old, dict) and isinstance(new, dict):
            if key in _MAPS:
                return old.keys() == new.keys() and all(self.holds(old[name], new[name]) for name in old)
            return self.holds(old, new)
        if isinstance(old, list) and isinstance(new, list):
            if key in _SETS:
                return sorted(map(keyed, old)) == sorted(map(keyed, new))
            return len(old) == len(new) and all(map(self.holds, old, new))
        return not differ(old, new)

    def _refer_alike(self, old: str, new: str) -> bool:
        if old == new or (self._pair is not None and self._pair.is_same(old, new)):
            return True
        if not (old.startswith(SCHEMAS) and new.startswith(SCHEMAS)):
            return False
        names = schema_name(old), schema_name(new)
        if names in self._supposed:
            return True
        if names[0] not in self._removed or names[1] not in self._added:
            return False
        self._supposed.add(names)
        return self.holds(self._removed[names[0]], self._added[names[1]])
