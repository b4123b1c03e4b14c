"""Facts of operations and webhooks that openapi-python-client ignores or reads in another way: the templates look them up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scripts.regeneration.schemas import DEFAULT, WIRE, Expression

EVENTS = "text/event-stream"
EVENT_STATUS = "999"
"""The status under which the generator reads an event, for which it has no place."""
_FORMS = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter: where it goes, how it is written if not in the usual way, and its schema as the generator reads it."""

    variable: str
    location: str
    style: str
    is_required: bool
    schema: dict[str, Any]

    @property
    def name(self) -> str:
        """The name on the wire."""
        return str(self.schema[WIRE])


@dataclass(frozen=True)
class Body:
    """A body: its media type, what kind of one that is, and its expression."""

    media: str
    kind: str
    expression: Expression
    others: tuple[str, ...] = ()
    is_required: bool = True

    def content(self, raw: str) -> dict[str, Any]:
        """Give it as the generator reads it; `raw` is the media type of what is neither JSON nor a form."""
        return {_FORMS.get(self.kind, raw): {"schema": self.expression}}


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
    event: Expression | None
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
        """The statuses below 400."""
        return [status for status in self.answers if status[0] in "123"]

    @property
    def ranges(self) -> str:
        """The statuses of successes, as code."""
        ranges = [
            f"range({int(each[0])}00, {int(each[0]) + 1}00)"
            if "X" in each
            else f"range({each}, {int(each) + 1})"
            for each in self.successes
        ]
        return f"({', '.join(ranges)}{',' if ranges else ''})"

    @property
    def accept(self) -> str:
        """What the Accept header has to name: what is read, where that is neither plain JSON nor text."""
        read = [body.media for status in self.successes if (body := self.answers[status])]
        if self.event is not None:
            return ", ".join(dict.fromkeys([EVENTS, *(read or ["application/json"])]))
        given = [
            media
            for media in dict.fromkeys(read)
            if media not in ("application/json", "*/*") and not media.startswith("text/")
        ]
        return ", ".join(given)

    @property
    def item(self) -> tuple[str, dict[str, Any]]:
        """The operation as the generator reads it, and a path for it.

        Everything has its name in Python there, and all parameters are in the query: where one goes is a fact, and the
        generator knows neither lists in headers nor null in a path.
        """
        answers = {**self.answers, EVENT_STATUS: None if self.event is None else Body("", "json", self.event)}
        given: dict[str, Any] = {
            "operationId": self.name,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "parameters": [
                {
                    "name": each.variable,
                    "in": "query",
                    "required": each.is_required,
                    "schema": each.schema,
                }
                for each in self.parameters
            ],
            "responses": {
                status: {
                    "description": "",
                    "content": body.content(
                        "text/plain" if body.kind == "text" else "application/octet-stream"
                    )
                    if body
                    else {},
                }
                for status, body in answers.items()
                if body or status != EVENT_STATUS
            },
        }
        if self.body:
            content = self.body.content("application/octet-stream")
            given["requestBody"] = {"required": self.body.is_required, "content": content}
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
        body = {"required": True, "content": self.body.content("")}
        return f"/{self.variable}", {
            "post": {"operationId": self.variable, "requestBody": body, "responses": {}}
        }
