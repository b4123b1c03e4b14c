"""Facts of operations and webhooks that openapi-python-client ignores or reads in another way: the templates look them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.regeneration.expressions import DEFAULT, WIRE, Expression, unite
from scripts.regeneration.pointers import Node

EVENTS = "text/event-stream"
EVENT_STATUS = "999"
"""The status under which the generator reads an event, for which it has no place."""
MEDIA = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
}
"""The usual media type of each kind of body that has one for itself."""


@dataclass(frozen=True)
class Parameter:
    """A parameter.

    Args:
        variable: Its name in Python.
        location: Where it goes.
        style: How it is written, if not in the usual way.
        is_required: Whether it has to be there.
        schema: Its schema, as the generator reads it.
        source: Its schema in the document.
    """

    variable: str
    location: str
    style: str
    is_required: bool
    schema: dict[str, Any]
    source: Node

    @property
    def name(self) -> str:
        """The name on the wire."""
        return str(self.schema[WIRE])


@dataclass(frozen=True)
class Body:
    """A body.

    Args:
        media: Its media type.
        kind: What kind of one that is: json, form, multipart, text or bytes.
        expression: What it holds.
        source: The media type in the document.
        is_required: Whether it has to be there.
        encoding: The media types of parts that are not of the usual one.
        has_others: Whether the document offers other media types.
    """

    media: str
    kind: str
    expression: Expression
    source: Node
    is_required: bool = True
    encoding: Mapping[str, str] = field(default_factory=dict)
    has_others: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """What it is for the generator."""
        return {MEDIA.get(self.kind, "application/octet-stream"): {"schema": self.expression}}


@dataclass(frozen=True)
class Scheme:
    """How a credential is sent: in a header, the query or a cookie, or by HTTP Basic."""

    location: str
    name: str = ""
    prefix: str = ""


@dataclass
class Operation:
    """A function to be generated."""

    name: str
    tag: str
    id: str
    method: str
    path: str
    pointer: str
    summary: str
    description: str
    is_deprecated: bool
    parameters: list[Parameter]
    body: Body | None
    answers: dict[str, Body | None]
    events: list[Body]
    scheme: Scheme | None
    is_optional: bool
    server: str | None
    page: tuple[str, str] | None = None
    """The parameter, and the member of the answer, that lead to the next page."""

    @property
    def defaults(self) -> dict[str, str | None]:
        """The default of each parameter, as code."""
        return {each.variable: each.schema.get(DEFAULT) for each in self.parameters}

    def within(self, location: str) -> list[Parameter]:
        """Give the parameters that go to one place."""
        return [each for each in self.parameters if each.location == location]

    @property
    def successes(self) -> list[str]:
        """The statuses below 400, and `default` where no success is listed."""
        found = [status for status in self.answers if status[0] in "123"]
        has_success = self.events or any(status[0] == "2" for status in found)
        return found if has_success else [*found, *self.answers.keys() & {"default"}]

    @property
    def accept(self) -> str:
        """What the Accept header has to name: what is read, where that is neither plain JSON nor text, or not the only choice."""
        bodies = [body for status in self.successes if (body := self.answers[status])]
        read = [body.media for body in bodies]
        if self.events:
            return ", ".join(dict.fromkeys([EVENTS, *(read or ["application/json"])]))
        if any(body.has_others for body in bodies):
            return ", ".join(dict.fromkeys(read))
        plain = ("application/json", "*/*")
        return ", ".join(it for it in dict.fromkeys(read) if it not in plain and not it.startswith("text/"))

    @property
    def item(self) -> tuple[str, dict[str, Any]]:
        """The operation as the generator reads it, and a path for it.

        Everything has its name in Python there, and all parameters are in the query: where one goes is a fact, and the
        generator knows neither lists in headers nor null in a path.
        """
        # The generator reads no text in requests, and only this one in answers.
        text = {"text/plain": {"schema": {"type": "string"}}}
        contents = {
            status: (text if body.kind == "text" else body.content) if body else {}
            for status, body in self.answers.items()
        }
        if self.events:
            event = {"schema": unite(each.expression for each in self.events)}
            contents[EVENT_STATUS] = {"application/json": event}
        given: dict[str, Any] = {
            "operationId": self.name,
            "tags": [self.tag],
            "parameters": [
                {"name": each.variable, "in": "query", "required": each.is_required, "schema": each.schema}
                for each in self.parameters
            ],
            "responses": {status: {"description": "", "content": it} for status, it in contents.items()},
        }
        if self.body:
            given["requestBody"] = {"required": self.body.is_required, "content": self.body.content}
        return f"/{self.name}", {self.method.lower(): given}


@dataclass(frozen=True)
class Webhook:
    """A request that the API sends: the name of its parser, and what is in it."""

    name: str
    variable: str
    summary: str
    body: Body

    @property
    def item(self) -> tuple[str, dict[str, Any]]:
        """It as the generator reads it, and a path for it."""
        body = {"required": True, "content": self.body.content}
        given = {"operationId": self.variable, "requestBody": body, "responses": {}}
        return f"/{self.variable}", {"post": given}
