"""Reading API documents, from files and from the network: bounded in size and time, and valid or refused."""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from scripts.regeneration.problems import RegenerationError

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a PyYAML that was built without libyaml does the same, ten times slower
    from yaml import SafeLoader  # type: ignore[assignment]

Document = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """How much is read of a document that comes from outside.

    Args:
        size: The most bytes it may have.
        depth: How many objects and lists may be inside each other; too many, and the YAML parser takes Python down with it.
        values: The most values it may hold once aliases are followed; a few lines of YAML can hold billions.
        silence: How many seconds a server may say nothing.
        duration: How many seconds the whole answer may take.
    """

    size: int = 10_000_000
    depth: int = 100
    values: int = 500_000
    silence: float = 10.0
    duration: float = 60.0


LIMITS = Limits()


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


def is_url(source: str) -> bool:
    """Say whether a source is an address, not a file."""
    return "://" in source


def read(source: str) -> bytes:
    """Read a file or a URL whole.

    Raises:
        RegenerationError: It cannot be read, or is more than a document is.
    """
    return _fetch(source) if is_url(source) else read_file(Path(source))


def read_file(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        RegenerationError: It cannot be read, or is more than a document is.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LIMITS.size + 1)
    except OSError as error:
        raise RegenerationError(f"{path} cannot be read: {error}") from error
    if len(content) > LIMITS.size:
        raise RegenerationError(f"{path} cannot be read: it has more than {LIMITS.size:,} bytes.")
    return content


def _fetch(url: str) -> bytes:
    name = shown(url)
    if not url.lower().startswith(("http://", "https://")):
        raise RegenerationError(f"{name} cannot be read: only http and https are.")
    until = time.monotonic() + LIMITS.duration
    content = bytearray()
    try:
        with (
            httpx.Client(timeout=LIMITS.silence, follow_redirects=True, max_redirects=5) as client,
            client.stream(
                "GET", url, headers={"Accept": "application/yaml, application/json, */*"}
            ) as answer,
        ):
            if answer.status_code != 200:
                raise RegenerationError(f"{name} cannot be read: it answers {answer.status_code}.")
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > LIMITS.size:
                    raise RegenerationError(
                        f"{name} cannot be read: it sends more than {LIMITS.size:,} bytes."
                    )
                if time.monotonic() > until:
                    raise RegenerationError(
                        f"{name} cannot be read: after {LIMITS.duration:g} seconds it was still sending."
                    )
    except httpx.TimeoutException as error:
        raise RegenerationError(
            f"{name} cannot be read: it said nothing for {LIMITS.silence:g} seconds."
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise RegenerationError(f"{name} cannot be read: {str(error) or type(error).__name__}") from error
    return bytes(content)


def shown(source: str) -> str:
    """Give a source as it may be shown: an address without a password before its host or a token in its query."""
    if not is_url(source):
        return source
    scheme, _, rest = source.partition("://")
    place = rest.partition("?")[0].partition("#")[0]
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


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
        if any(count >= LIMITS.values for count, _ in enumerate(_all(value))):
            raise RegenerationError(f"{name} cannot be read: it holds more than {LIMITS.values:,} values.")
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise RegenerationError(f"{name} cannot be read: {error}") from error
    return value


def _parse_yaml(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > LIMITS.depth:
            raise ValueError(f"its objects and lists are more than {LIMITS.depth} deep")
    return yaml.load(text, _Loader)  # noqa: S506 - it is a safe one


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
