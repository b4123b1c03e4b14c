"""API documents: JSON or YAML in, checked; YAML out."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any

import yaml
from openapi_spec_validator.schemas import openapi_v30_schema_validator, openapi_v31_schema_validator

from scripts.regeneration import reading
from scripts.regeneration.pointers import join, look_up, walk
from scripts.regeneration.problems import RegenerationError

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a PyYAML that was built without libyaml does the same, ten times slower
    from yaml import SafeLoader  # type: ignore[assignment]

Document = dict[str, Any]
_VALIDATORS = {"3.0.": openapi_v30_schema_validator, "3.1.": openapi_v31_schema_validator}


class _Loader(SafeLoader):
    """YAML as OpenAPI means it: what JSON has, so no dates; and a key that comes twice is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else None
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} comes twice", key.start_mark
                )
            if name:
                seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}


def is_json(content: bytes) -> bool:
    """Say whether a document is JSON; all else is taken for YAML."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def parse(content: bytes, name: str) -> Any:
    """Give what JSON or YAML holds; all JSON that occurs in practice is YAML.

    Raises:
        RegenerationError: It is neither, or holds too much.
    """
    if content.lstrip()[:1] == b"<":
        raise RegenerationError(f"{name} cannot be read: it is a web page, not an API document.")
    try:
        text = content.decode("utf-8-sig")
        # Duplicate keys are looked for in YAML only: people edit YAML, programs write JSON.
        value = json.loads(text) if is_json(content) else _parse_yaml(text)
        if any(count >= reading.LIMITS.values for count, _ in enumerate(_all(value))):
            raise RegenerationError(
                f"{name} cannot be read: it holds more than {reading.LIMITS.values:,} values."
            )
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise RegenerationError(f"{name} cannot be read: {shorten(str(error))}") from error
    return value


def _parse_yaml(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > reading.LIMITS.depth:
            raise ValueError(f"its objects and lists are more than {reading.LIMITS.depth} deep")
    return yaml.load(text, _Loader)  # noqa: S506 - it is a safe one # nosec B506


def _all(value: Any) -> Iterator[Any]:
    """Give every value there is, aliases followed."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        yield inner
        if isinstance(inner, dict):
            waiting += inner.values()
        elif isinstance(inner, list):
            waiting += inner


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Give every reference, and where it is; what is an example may look like one."""
    for inner, place in walk(value):
        if isinstance(inner.get("$ref"), str):
            yield inner["$ref"], place


def check(document: Document, name: str) -> None:
    """Check that a document is OpenAPI 3.0 or 3.1 by its structure; what its schemas say, the generator checks.

    Raises:
        RegenerationError: It is not; the message says where.
    """
    if "swagger" in document:
        raise RegenerationError(f"{name} is Swagger {document['swagger']}; convert it to OpenAPI 3 first.")
    version = str(document.get("openapi", ""))
    if not version:
        raise RegenerationError(f"{name} is not an OpenAPI document: it has no `openapi` with the version.")
    if version[:4] not in _VALIDATORS:
        raise RegenerationError(f"{name} is OpenAPI {version:.20}; 3.0 and 3.1 can be read.")
    for reference, place in references(document):
        if not reference.startswith("#"):
            # Who follows it would read whatever file or address somebody else's document names.
            raise RegenerationError(
                f"{name} refers to {reference:.200}; only references within a document are followed."
            )
        try:
            look_up(document, reference[1:])
        except KeyError:
            raise RegenerationError(f"{name}: $ref {reference:.200} leads nowhere (at #{place}).") from None
    try:
        error = next(iter(_VALIDATORS[version[:4]].iter_errors(document)), None)
    except RecursionError as raised:
        raise RegenerationError(f"{name} cannot be checked: it is nested too deeply.") from raised
    except ValueError as raised:  # such as a key that YAML takes for a truth value
        raise RegenerationError(f"{name} cannot be checked: {shorten(str(raised))}") from raised
    if error is not None:
        place = join("", *error.absolute_path)
        # What follows is the whole document over again.
        said = error.message.partition("\n")[0]
        raise RegenerationError(f"{name} is not valid OpenAPI: {shorten(said)} (at #{place}).")


def shorten(text: str, length: int = 200) -> str:
    """Give a text for one line of a message."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: text of several lines as a block, nothing by alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dump(document: Document, comment: str = "") -> bytes:
    """Write a document as YAML: the same document, the same bytes."""
    said = "".join(f"# {line}\n" for line in comment.splitlines())
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=150)
    return (said + text).encode()
