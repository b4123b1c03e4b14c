"""An API document as the comparison reads it: whatever is missing or odd in it is read as if it were not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import Any

from scripts.regeneration.pointers import METHODS, look_up

Node = dict[str, Any]

SCHEMAS = "#/components/schemas/"
_NOT_SCHEMAS = {
    *("callbacks", "links", "example", "examples", "default", "enum", "const", "security", "servers"),
}
"""Keys below which no schema that an operation sends or reads is to be found."""
_NAMED = {"properties", "patternProperties", "dependentSchemas", "$defs", "content", "headers"}
"""Keys below which the keys are names, and mean nothing."""


class Direction(Enum):
    """Who writes what a schema describes: the client a request, the server a response."""

    REQUEST = auto()
    RESPONSE = auto()


@dataclass(frozen=True)
class Use:
    """That an operation reaches something that operations share.

    Args:
        operation: The operationId.
        direction: Whether it sends or reads it.
        is_open: Whether it stands in a union beside a plain string, so that values it does not list are read too.
    """

    operation: str
    direction: Direction
    is_open: bool = False


@dataclass(frozen=True)
class Operation:
    """An operation, with what its path says for all of its operations."""

    name: str
    method: str
    path: str
    node: Node
    parameters: dict[tuple[str, str], Node]
    security: list[Any] | None
    servers: list[Any] | None

    @property
    def where(self) -> str:
        """The method and the path."""
        return f"{self.method.upper()} {self.path}"

    @property
    def shape(self) -> tuple[str, str]:
        """The method and the path without the names of its parameters."""
        return self.method, re.sub(r"\{[^{}]*\}", "{}", self.path)


def mapping(value: object) -> Node:
    """Give a mapping with text for keys (YAML reads the status 200 as a number); an empty one for all else."""
    return {str(key): inner for key, inner in value.items()} if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Give a list; an empty one for all else."""
    return value if isinstance(value, list) else []


def schema_of(value: object) -> Node:
    """Give a schema as a mapping; `false` allows nothing, and `true` or none at all allows everything."""
    return {"not": {}} if value is False else mapping(value)


def pointed(node: Node) -> str | None:
    """Give what a node refers to, if it does."""
    reference = node.get("$ref")
    return reference if isinstance(reference, str) else None


def schema_name(reference: str) -> str:
    """Give the last word of a reference: the name of a schema that is shared."""
    return reference.rpartition("/")[2]


class Contract:
    """An API document, read.

    Args:
        document: An OpenAPI document of version 3.0 or 3.1.
    """

    def __init__(self, document: Node) -> None:
        self.document = mapping(document)
        self.schemas = {name: schema_of(schema) for name, schema in self.components("schemas").items()}

    def components(self, kind: str) -> Node:
        """Give what operations share, of a kind."""
        return mapping(mapping(self.document.get("components")).get(kind))

    def resolve(self, value: object) -> Node:
        """Follow references to what they mean; one that cannot be followed is given as it is."""
        node = schema_of(value)
        seen: set[str] = set()
        while (reference := pointed(node)) is not None and reference not in seen:
            seen.add(reference)
            target = self._target(reference)
            if target is None:
                break
            node = schema_of(target)
        return node

    def _target(self, reference: str) -> object:
        try:
            return look_up(self.document, reference.removeprefix("#")) if reference.startswith("#/") else None
        except KeyError:
            return None

    @cached_property
    def operations(self) -> list[Operation]:
        """Every operation, in the order of the document."""
        found = []
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
            parameters[place, name.lower() if place == "header" else name] = mapping(parameter)
        servers = node.get("servers", shared.get("servers"))
        return Operation(
            name=str(node.get("operationId") or f"{method.upper()} {path}"),
            method=method,
            path=path,
            node=node,
            parameters=parameters,
            security=sequence(node["security"]) if "security" in node else None,
            servers=sequence(servers) if servers else None,
        )

    @cached_property
    def uses(self) -> dict[str, frozenset[Use]]:
        """Which operations reach what is shared, by the reference to it."""
        found: dict[str, set[Use]] = {}
        for operation in self.operations:
            sent = [*operation.parameters.values(), operation.node.get("requestBody")]
            read = list(mapping(operation.node.get("responses")).values())
            for values, direction in ((sent, Direction.REQUEST), (read, Direction.RESPONSE)):
                use = Use(operation.name, direction)
                self._reach([(value, use) for value in values], found)
        return {reference: frozenset(uses) for reference, uses in found.items()}

    def _reach(self, waiting: list[tuple[object, Use]], found: dict[str, set[Use]]) -> None:
        while waiting:
            value, use = waiting.pop()
            if isinstance(value, list):
                waiting += [(inner, use) for inner in value]
                continue
            node = mapping(value)
            reference = pointed(node)
            if reference is not None and use not in (known := found.setdefault(reference, set())):
                known.add(use)
                waiting.append((self._target(reference), use))
            waiting += self._below(node, use)

    def _below(self, node: Node, use: Use) -> Iterator[tuple[object, Use]]:
        closed = replace(use, is_open=False)
        for key, inner in node.items():
            if key in ("anyOf", "oneOf"):
                yield inner, replace(use, is_open=use.is_open or is_open_union(sequence(inner)))
            elif key == "allOf":
                yield inner, use
            elif key in _NAMED:
                yield list(mapping(inner).values()), closed
            elif key not in _NOT_SCHEMAS and not key.startswith("x-"):
                yield inner, closed


def is_open_union(members: list[Any]) -> bool:
    """Say whether any text at all is one of the alternatives."""
    plain = {"type", "description", "title"}
    return any(
        isinstance(member, dict) and member.get("type") == "string" and member.keys() <= plain
        for member in members
    )
