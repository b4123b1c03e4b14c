"""API documents: JSON or YAML in, checked; YAML out."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from scripts.regeneration import RegenerationError, reading
from scripts.regeneration.pointers import join, look_up, walk

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # a PyYAML that was built without libyaml does the same, ten times slower
    from yaml import SafeLoader  # type: ignore[assignment]

Document = dict[str, Any]
_OWN = "https://spec.openapis.org/oas/3.1/dialect"
DIALECTS = ("https://json-schema.org/draft/2020-12/schema", f"{_OWN}/base", f"{_OWN}/2024-11-10")
"""What schemas may be written in."""
_HALF = re.compile("[\ud800-\udfff]")


_TAG = "tag:yaml.org,2002:"


class _Key(yaml.ScalarNode):
    """A key that is a text, and was not found twice."""


class _Loader(SafeLoader):
    """YAML as OpenAPI means it: what JSON has, so `no`, `12:30` and dates are texts, and so are keys, each of which comes once."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        # A node comes here first as it was written, and later perhaps with what was merged into it.
        if not all(isinstance(key, _Key) for key, _ in node.value):
            node.value = [(self._key(key), value) for key, value in node.value]
            names = set[str]()
            for key, _ in node.value:
                if key.value in names:
                    said = f"the key {key.value!r} comes twice"
                    raise yaml.constructor.ConstructorError(None, None, said, key.start_mark)
                names.add(key.value)
        super().flatten_mapping(node)

    def _key(self, key: yaml.Node) -> yaml.Node:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is not a text", key.start_mark)
        if key.tag == f"{_TAG}merge":
            return key
        return _Key(f"{_TAG}str", key.value, key.start_mark, key.end_mark)


_NUMBER = r"[-+]?(0|[1-9][0-9]*)"
_FLOAT = rf"{_NUMBER}(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.(inf|[0-9]+)|\.nan"
_WORDS = {"null": "~|null|Null|NULL|", "bool": "true|True|TRUE|false|False|FALSE", "merge": "<<"}
_Loader.yaml_implicit_resolvers = {}
_Loader.yaml_constructors = {**_Loader.yaml_constructors, f"{_TAG}merge": SafeLoader.construct_yaml_str}


def is_json(content: bytes) -> bool:
    """Return whether a document is JSON; all else is taken for YAML."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def parse(content: bytes, name: str) -> Any:
    """Return what JSON or YAML holds; all JSON that occurs in practice is YAML.

    Raises:
        RegenerationError: It is neither, or holds too much.
    """
    if content.lstrip()[:1] == b"<":
        raise RegenerationError(f"{name} cannot be read: it is a web page, not an API document.")
    try:
        text = content.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=_once) if is_json(content) else _parse_yaml(text)
        for count, inner in enumerate(_all(value)):
            if count >= reading.LIMITS.values:
                raise ValueError(f"it holds more than {reading.LIMITS.values:,} values.")
            if not _is_json_value(inner):
                raise ValueError(f"{inner!r:.60} is not a value that JSON has.")
    except UnicodeDecodeError as error:
        raise RegenerationError(f"{name} cannot be read: it is not UTF-8 (byte {error.start}).") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise RegenerationError(f"{name} cannot be read: {shorten(str(error))}") from error
    return value


def _is_json_value(value: Any) -> bool:
    if isinstance(value, str | dict):  # half of a character can be in no file
        return not any(_HALF.search(text) for text in ([value] if isinstance(value, str) else value))
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value is None or isinstance(value, list) or is_number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} comes twice")
        found[name] = value
    return found


def _parse_yaml(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > reading.LIMITS.depth:
            raise ValueError(f"its objects and lists are more than {reading.LIMITS.depth} deep")
    return yaml.load(text, _Loader)  # noqa: S506 - it is a safe one # nosec B506


def _all(value: Any) -> Iterator[Any]:
    """Yield every value there is, aliases followed."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        yield inner
        if isinstance(inner, dict):
            waiting += inner.values()
        elif isinstance(inner, list):
            waiting += inner


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every reference, and where it is; what is an example may look like one."""
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
    if version[:4] not in ("3.0.", "3.1."):
        raise RegenerationError(f"{name} is OpenAPI {version:.20}; 3.0 and 3.1 can be read.")
    dialect = document.get("jsonSchemaDialect", DIALECTS[0])
    if dialect not in DIALECTS:
        where = "at #/jsonSchemaDialect"
        raise RegenerationError(f"{name}: the dialect {dialect!s:.100} cannot be read ({where}).")
    for reference, place in references(document):
        if not reference.startswith("#"):
            # Who follows it would read whatever file or address somebody else's document names.
            said = "only references within a document are followed"
            raise RegenerationError(f"{name} refers to {reference:.200}; {said}.")
        try:
            look_up(document, reference[1:])
        except KeyError:
            raise RegenerationError(f"{name}: $ref {reference:.200} leads nowhere (at #{place}).") from None
    # Inside, since to import it takes longer than many a run that checks nothing.
    from openapi_spec_validator import schemas

    validator = getattr(schemas, f"openapi_v3{version[2]}_schema_validator")
    try:
        error = next(validator.iter_errors(document), None)
    except (RecursionError, ValueError) as raised:
        said = "it is nested too deeply." if isinstance(raised, RecursionError) else shorten(str(raised))
        raise RegenerationError(f"{name} cannot be checked: {said}") from raised
    if error is not None:
        # What follows the first line is the whole document over again.
        said = shorten(error.message.partition("\n")[0])
        place = join("", *error.absolute_path)
        raise RegenerationError(f"{name} is not valid OpenAPI: {said} (at #{place}).")


def shorten(text: str, length: int = 200) -> str:
    """Return a text for one line of a message."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: text of several lines as a block, nothing by alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_TAG}str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
for _name, _pattern in {**_WORDS, "int": _NUMBER, "float": _FLOAT}.items():
    # What is not a text in the one version of YAML or the other is written in quotes.
    for _kind in (_Loader, _Dumper):
        _kind.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"(?:{_pattern})\\Z"), None)


def dump(document: Document, comment: str = "") -> bytes:
    """Write a document as YAML: the same document, the same bytes."""
    said = "".join(f"# {line}\n" for line in comment.splitlines())
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=150)
    return (said + text).encode()
