"""Correcting somebody else's API document by named files: OpenAPI Overlay 1.0, in the order of their names.

An overlay says why it is there (`info.title`) and what it does (`actions`). Unlike the standard, an action that finds
nothing is an error: what it corrected is gone, so the correction has to be looked at again.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from scripts.regeneration import RegenerationError
from scripts.regeneration.documents import Document, parse
from scripts.regeneration.reading import read_file

KINDS = (".yaml", ".yml", ".json")
_KNOWN = frozenset({"target", "description", "update", "remove"})


class Overlay(NamedTuple):
    """A file of corrections that have one reason.

    Args:
        name: The name of the file.
        reason: Why the document is corrected.
        actions: Each action by what it is called in messages. `target` is JSONPath (RFC 9535) to what is corrected. `update` is
            merged into objects, or appended to arrays; or else what is found is taken out.
    """

    name: str
    reason: str
    actions: Mapping[str, Mapping[str, Any]]


def read_overlays(folder: Path) -> list[Overlay]:
    """Read the overlays in a folder, in the order of their names; there need be none, nor a folder.

    Raises:
        RegenerationError: One of them is not an overlay.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix in KINDS)
    return [read_overlay(parse(read_file(path), f"{folder.name}/{path.name}"), path.name) for path in paths]


def read_overlay(content: Any, name: str) -> Overlay:
    """Read what an overlay's file holds.

    Raises:
        RegenerationError: It is not an overlay; the message says what is missing.
    """
    given = content if isinstance(content, dict) else {}
    if not str(given.get("overlay", "")).startswith("1.0."):
        raise RegenerationError(f"Overlay {name}: it has to begin with `overlay: 1.0.0`.")
    info = given.get("info")
    reason = info.get("title") if isinstance(info, dict) else None
    if not isinstance(reason, str) or not reason.strip():
        raise RegenerationError(f"Overlay {name}: `info.title` has to say why the document is corrected.")
    actions = given.get("actions")
    if not isinstance(actions, list) or not actions:
        raise RegenerationError(f"Overlay {name}: `actions` has to be a list of corrections.")
    named = {_name(action, f"Overlay {name}, action {at}"): action for at, action in enumerate(actions, 1)}
    return Overlay(name, reason.strip(), named)


def _name(given: Any, name: str) -> str:
    """Return what an action is called in messages, if it is one."""
    if not isinstance(given, dict) or not isinstance(given.get("target"), str):
        raise RegenerationError(f"{name}: it has no `target`.")
    name = f"{name} ({given['target']})"
    unknown = sorted(key for key in map(str, given) if key not in _KNOWN and not key.startswith("x-"))
    if unknown:
        raise RegenerationError(f"{name}: overlays of version 1.0 have no {', '.join(unknown)}.")
    remove = given.get("remove", False)
    if not isinstance(remove, bool) or ("update" in given) == remove:
        raise RegenerationError(f"{name}: it needs either an `update` or `remove: true`.")
    return name


def corrected(document: Document, overlays: Sequence[Overlay]) -> Document:
    """Return the document as the overlays correct it; the one that is given stays as it is.

    Raises:
        RegenerationError: An action cannot be carried out, or finds nothing to correct.
    """
    result = deepcopy(document)
    for overlay in overlays:
        for name, action in overlay.actions.items():
            _carry_out(action, result, name)
    return result


def _carry_out(action: Mapping[str, Any], document: Document, where: str) -> None:
    import jsonpath  # most documents have no overlay

    try:
        # One place may be found twice; the last place comes first, so that no removal moves what is still to be removed.
        found = {it.parts: it for it in jsonpath.finditer(action["target"], document, strict=True)}
    except jsonpath.JSONPathError as error:
        raise RegenerationError(f"{where}: the target is not JSONPath as RFC 9535 has it: {error}") from error
    if not found:
        said = "the document has nothing there. If it needs no correction any more, take the action out."
        raise RegenerationError(f"{where}: {said}")
    for parts in sorted(found, reverse=True):
        holder: Any = found[parts].parent
        if "update" in action:
            _update(found[parts].obj, action["update"], where)
        elif holder is None:
            raise RegenerationError(f"{where}: the whole document cannot be removed.")
        else:
            del holder.obj[parts[-1]]


def _update(target: Any, update: Any, where: str) -> None:
    if isinstance(target, list):
        target.append(deepcopy(update))
    elif not isinstance(target, dict):
        raise RegenerationError(f"{where}: to update a plain value, target the object that holds it.")
    elif not isinstance(update, dict):
        raise RegenerationError(f"{where}: the target is an object, so the update has to be one, too.")
    else:
        _merge(target, update)


def _merge(target: Document, update: Mapping[str, Any]) -> None:
    """Merge as Overlay 1.0 has it: objects into objects, arrays after arrays, all else is replaced."""
    for name, value in update.items():
        present = target.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(deepcopy(value))
        else:
            target[name] = deepcopy(value)
