"""Find the one JSON object in an agent's answer: as a data part, as text, in a code fence, or within other text.

Prose is never interpreted. More than one object, or a brace that does not begin a whole object, means that there is none.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, NamedTuple, NoReturn, cast

from payman_sdk._core.wire_json import Json, as_list, as_object, replace_halves

MAX_CHARACTERS = 1_000_000
"""Characters of text that are searched."""


_NO_STATEMENTS = {"type", "kind", "metadata", "file"}
"""Members of a part that state nothing; whatever else holds a brace may be an object."""


class NoObjectError(ValueError):
    """There is not exactly one object; the message says why."""


class FoundObject(NamedTuple):
    """A JSON object in an answer, its JSON, and the position of its artifact; a message comes after all."""

    value: Json
    text: str
    artifact: int


def find_object(
    response: Mapping[str, Any], artifacts: Sequence[Mapping[str, Any]], *, skips_unknown: bool = False
) -> FoundObject:
    """Return the one object in the artifacts of an answer, or in its message about the state.

    The same object in a data part and in text counts once. `skips_unknown` leaves out parts of unknown kinds, where a second object
    would change nothing. Raises NoObjectError: none, several, or an unreadable one.
    """
    found = find_objects(response, artifacts, skips_unknown=skips_unknown)
    if len(found) != 1:
        what = f"{len(found)} different JSON objects" if found else "no JSON object"
        raise NoObjectError(f"the answer holds {what}")
    return found[0]


def find_objects(
    response: Mapping[str, Any], artifacts: Sequence[Mapping[str, Any]], *, skips_unknown: bool = False
) -> list[FoundObject]:
    """Return the different objects in an answer, in order; raises NoObjectError."""
    found: list[FoundObject] = []
    for position, artifact in enumerate(artifacts):
        found += _objects_of(artifact.get("parts"), position, skips_unknown=skips_unknown)
    message = response.get("status_message")
    if isinstance(message, str):
        found += _objects_in(message, len(artifacts))
    different: dict[str, FoundObject] = {}
    for one in found:
        try:
            key = canonicalize(one.value)
        except (ArithmeticError, RecursionError):
            raise NoObjectError("the answer holds JSON that cannot be compared") from None
        different.pop(key, None)  # of the same object, the latest counts for where it is
        different[key] = one
    return list(different.values())


def _objects_of(parts: object, artifact: int, *, skips_unknown: bool) -> Iterator[FoundObject]:
    for part in as_list(parts) or ():
        members = dict(as_object(part) or {})
        text, data = members.get("text"), as_object(members.get("data"))
        if isinstance(text, str):  # citations and the like may be beside it
            yield from _objects_in(text, artifact)
            members = {"data": members.get("data")}
        if data is not None:
            del members["data"]
            try:
                yield FoundObject(data, json.dumps(data, ensure_ascii=False), artifact)
            except (TypeError, ValueError, RecursionError):
                raise NoObjectError("the answer holds data that is not JSON") from None
        unknown = [value for name, value in members.items() if name not in _NO_STATEMENTS]
        if not skips_unknown and any("{" in str(value) for value in unknown):
            raise NoObjectError("the answer holds a part whose kind is not known")


def _objects_in(text: str, artifact: int) -> Iterator[FoundObject]:
    if len(text) > MAX_CHARACTERS:
        raise NoObjectError(f"the answer has more than {MAX_CHARACTERS:,} characters")
    text, end = replace_halves(text), 0
    while (start := text.find("{", end)) >= 0:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except RecursionError:
            raise NoObjectError("the answer holds JSON that is nested too deeply") from None
        except (ArithmeticError, ValueError) as error:
            raise NoObjectError(f"the answer holds JSON that cannot be read: {error}"[:200]) from None
        yield FoundObject(value, text[start:end], artifact)


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=Decimal, parse_constant=_refuse_constant)


_EXACT = Context(prec=400, traps=[Inexact, InvalidOperation])
"""Numbers that only rounding makes equal are two; the program's own context may round."""


def canonicalize(value: object) -> str:
    """Return what two equal values have in common, however their numbers were read."""
    match value:
        case dict():
            members = cast("dict[str, object]", value)
            return f"{{{','.join(f'{json.dumps(name)}:{canonicalize(members[name])}' for name in sorted(members))}}}"
        case list():
            return f"[{','.join(map(canonicalize, cast('list[object]', value)))}]"
        case bool() | None:
            return repr(value)
        case int() | float() | Decimal():
            number = Decimal(str(value))
            # Zero with a sign is zero.
            return str(_EXACT.normalize(_EXACT.plus(number))) if number.is_finite() else repr(value)
        case _:
            return json.dumps(value, default=repr)
