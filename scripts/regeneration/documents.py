"""API documents: JSON or YAML in, checked; YAML out."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any

import yaml
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from scripts.regeneration import reading
from scripts.regeneration.problems import RegenerationError

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a PyYAML that was built without libyaml does the same, ten times slower
    from yaml import SafeLoader  # type: ignore[assignment]

Document = dict[str, Any]


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
        raise RegenerationError(f"{name} cannot be read: {error}") from error
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


def _references(value: Any) -> Iterator[str]:
    for inner in _all(value):
        if isinstance(inner, dict) and isinstance(inner.get("$ref"), str):
            yield inner["$ref"]


def parse_document(content: bytes, name: str) -> Document:
    """Give the API document that JSON or YAML holds, and check that it is valid OpenAPI.

    Raises:
        RegenerationError: It is not; the message says where.
    """
    document = parse(content, name)
    if not isinstance(document, dict):
        raise RegenerationError(f"{name} is not an OpenAPI document: a mapping is expected.")
    check(document, name)
    return document


def check(document: Document, name: str) -> None:
    """Check that a document is valid OpenAPI.

    Raises:
        RegenerationError: It is not, or it is not all there; the message says where.
    """
    for reference in _references(document):
        if not reference.startswith("#"):
            # Who follows it would read whatever file or address somebody else's document names.
            raise RegenerationError(
                f"{name} refers to {reference}; only references within a document are followed."
            )
    try:
        validate(document)
    except OpenAPIValidationError as error:
        place = "/".join(str(step) for step in getattr(error, "absolute_path", ()))
        # What follows the first line is the whole document over again.
        said = str(getattr(error, "message", error)).partition("\n")[0]
        raise RegenerationError(f"{name} is not valid OpenAPI: {said} (at /{place})") from error
    except (
        Exception
    ) as error:  # the validator lets out what its parts raise, such as an unresolvable reference
        raise RegenerationError(f"{name} is not valid OpenAPI: {error!r}") from error


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
