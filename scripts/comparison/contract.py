"""An API document as the comparison reads it: whatever is missing or odd in it is read as if it were not there."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from functools import cache, cached_property
from typing import Any, NamedTuple, cast

from scripts.regeneration import RegenerationError, pointers
from scripts.regeneration.pointers import METHODS, look_up

Node = dict[str, Any]

SCHEMAS = "#/components/schemas/"
_NO_SCHEMAS = {"callbacks", "links", "example", "examples", "default", "enum", "const", "security", "servers"}
"""Keys below which no schema that an operation sends or reads is to be found."""
_NAMED = {"properties", "patternProperties", "dependentSchemas", "$defs", "content", "headers"}
"""Keys below which the keys are names, and mean nothing."""


class Direction(Enum):
    """Who writes what a schema describes: the client a request, the server a response."""

    REQUEST = "requests"
    RESPONSE = "answers"


class Use(NamedTuple):
    """That an operation reaches something that operations share.

    Args:
        operation: The operationId.
        direction: Whether it sends or reads it.
        is_open: Whether it is in a union beside a plain string, so that values it does not list are read too.
    """

    operation: str
    direction: Direction
    is_open: bool = False


class Operation(NamedTuple):
    """An operation, with what its path and its document say for all.

    Args:
        name: The operationId; where there is none, the method and the path.
        where: The method and the path.
        path: The path.
        node: What it says itself.
        parameters: Its parameters and those of its path, by where they are and what they are called.
        given: Its credentials and servers, be they those of its path or of its document.
        own: Which of these it, or its path, has for itself.
    """

    name: str
    where: str
    path: str
    node: Node
    parameters: Node
    given: dict[str, list[Any]]
    own: frozenset[str]

    @property
    def shape(self) -> str:
        """The method and the path without the names of its parameters."""
        return re.sub(r"\{[^{}]*\}", "{}", self.where)


def mapping(value: object) -> Node:
    """Return a mapping; an empty one for all else."""
    return cast(Node, value) if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return a list; an empty one for all else."""
    return value if isinstance(value, list) else []


def schema_of(value: object) -> Node:
    """Return a schema as a mapping; `false` allows nothing, and `true` or none at all allows everything."""
    return {"not": {}} if value is False else mapping(value)


def pointed(node: Node) -> str | None:
    """Return what a node refers to, if it does."""
    reference = node.get("$ref")
    return reference if isinstance(reference, str) else None


def names_of(node: Node) -> list[str]:
    """Return the name of the schema that a node refers to, if it does."""
    return [reference.rpartition("/")[2]] if (reference := pointed(node)) else []


class Contract:
    """An API document, read.

    Args:
        document: An OpenAPI document of version 3.0 or 3.1.
    """

    def __init__(self, document: Node) -> None:
        # Every key is text in JSON; YAML reads the status 200 as a number.
        self.document = mapping(json.loads(json.dumps(document, default=str)))
        self.schemas = {name: schema_of(schema) for name, schema in self.components("schemas").items()}

    def components(self, kind: str) -> Node:
        """Return what operations share, of a kind."""
        return mapping(mapping(self.document.get("components")).get(kind))

    def resolve(self, value: object) -> Node:
        """Follow references to what they mean; one that cannot be followed is given as it is."""
        node = schema_of(value)
        try:
            return schema_of(pointers.Node(self.document, node).resolve().value)
        except RegenerationError:
            return node

    @cached_property
    def operations(self) -> list[Operation]:
        """Every operation, in the order of the document."""
        found = list[Operation]()
        for path, item in mapping(self.document.get("paths")).items():
            shared = self.resolve(item)
            for method, node in shared.items():
                if method in METHODS and isinstance(node, dict):
                    found.append(self._operation(method, path, shared, mapping(node)))
        return found

    def _operation(self, method: str, path: str, shared: Node, node: Node) -> Operation:
        parameters = {}
        for parameter in [*sequence(shared.get("parameters")), *sequence(node.get("parameters"))]:
            meant = self.resolve(parameter)
            place, name = str(meant.get("in")), str(meant.get("name"))
            # The names of headers are the same in either case.
            key = json.dumps([place, name.lower() if place == "header" else name])
            parameters[key] = mapping(parameter)
        own = {key: node[key] for key in ("security",) if key in node}
        if servers := node.get("servers", shared.get("servers")):
            own["servers"] = servers
        given = {key: sequence((self.document | own).get(key)) for key in ("security", "servers")}
        where = f"{method.upper()} {path}"
        name = str(node.get("operationId") or where)
        return Operation(name, where, path, node, parameters, given, frozenset(own))

    @cached_property
    def uses(self) -> dict[str, set[Use]]:
        """Which operations reach what is shared, by the reference to it."""

        @cache
        def below(reference: str, is_open: bool) -> list[tuple[str, bool]]:
            try:
                return list(_references(look_up(self.document, reference.removeprefix("#")), is_open))
            except KeyError:
                return []

        found: defaultdict[str, set[Use]] = defaultdict(set)
        for operation in self.operations:
            sent = [*operation.parameters.values(), operation.node.get("requestBody")]
            read = list(mapping(operation.node.get("responses")).values())
            for values, direction in ((sent, Direction.REQUEST), (read, Direction.RESPONSE)):
                reached, waiting = set[tuple[str, bool]](), {*_references(values)}
                while waiting:
                    reached |= waiting
                    waiting = {it for one in waiting for it in below(*one)} - reached
                for reference, is_open in reached:
                    found[reference].add(Use(operation.name, direction, is_open))
        return found


def _references(value: object, is_open: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the references in a value, and whether each is in a union beside a plain string."""
    for inner in sequence(value):
        yield from _references(inner, is_open)
    node = mapping(value)
    if (reference := pointed(node)) is not None:
        yield reference, is_open
    for key, inner in node.items():
        if key in _NAMED:
            yield from _references(list(mapping(inner).values()))
        elif key not in _NO_SCHEMAS and not key.startswith("x-"):
            is_inside = is_open and key in ("allOf", "anyOf", "oneOf")
            is_union = key in ("anyOf", "oneOf") and is_open_union(sequence(inner))
            yield from _references(inner, is_inside or is_union)


def is_open_union(members: list[Any]) -> bool:
    """Return whether any text at all is one of the alternatives."""
    texts = [member for member in map(mapping, members) if member.get("type") == "string"]
    return any(member.keys() <= {"type", "description", "title"} for member in texts)
