"""Facts of operations and webhooks that openapi-python-client ignores or reads in another way: the templates look them up."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scripts.regeneration.expressions import NULL, WIRE, Expression
from scripts.regeneration.pointers import Node

EVENTS = "text/event-stream"


class Parameter(NamedTuple):
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


class Body(NamedTuple):
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
    encoding: Mapping[str, str] = {}
    has_others: bool = False


class Scheme(NamedTuple):
    """How a credential is sent: in a header, the query or a cookie, or by HTTP Basic."""

    location: str
    name: str = ""
    prefix: str = ""


class Operation(NamedTuple):
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

    def within(self, location: str) -> list[Parameter]:
        """Return the parameters that go to one place."""
        return [each for each in self.parameters if each.location == location]

    @property
    def successes(self) -> list[str]:
        """The statuses below 400, and `default` where no success is listed."""
        found = [status for status in self.answers if status[0] in "123"]
        has_success = self.events or any(status[0] == "2" for status in found)
        return found if has_success else [*found, *self.answers.keys() & {"default"}]

    def values(self, statuses: Iterable[str]) -> list[Expression]:
        """Return what programs get with some statuses."""
        return [NULL if (body := self.answers[status]) is None else body.expression for status in statuses]

    @property
    def accept(self) -> str:
        """What the Accept header has to name: what is read, where that is neither plain JSON nor text, or not the only choice."""
        bodies = [body for status in self.successes if (body := self.answers[status])]
        read = [body.media for body in bodies]
        if self.events:
            read = [EVENTS, *(read or ["application/json"])]
        elif not any(body.has_others for body in bodies):
            read = [it for it in read if it not in ("application/json", "*/*") and not it.startswith("text/")]
        return ", ".join(dict.fromkeys(read))

    @property
    def item(self) -> tuple[str, dict[str, Any]]:
        """The operation as the generator reads it, and a path for it: its name in Python, its tag, and what it answers."""
        responses: dict[str, Any] = {status: {"description": ""} for status in self.answers}
        for status, body in self.answers.items():
            if body and body.kind == "json":
                responses[status]["content"] = {"application/json": {"schema": body.expression}}
        given = {"operationId": self.name, "tags": [self.tag], "responses": responses}
        return f"/{self.name}", {self.method.lower(): given}


class Webhook(NamedTuple):
    """A request that the API sends: the name of its parser, and what is in it."""

    name: str
    variable: str
    body: Body
