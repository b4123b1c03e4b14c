"""Facts of operations and webhooks: the templates look them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.regeneration.expressions import NULL, Expression, Member
from scripts.regeneration.schema_parts import Part

EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Parameter:
    """A parameter.

    Args:
        variable: Its name in Python.
        location: Where it goes.
        style: How it is written, if not in the usual way.
        member: What it is.
        source: Its schema in the document, and where that is.
    """

    variable: str
    location: str
    style: str
    member: Member
    source: Part

    @property
    def name(self) -> str:
        """The name on the wire."""
        return self.member.wire


@dataclass(frozen=True)
class Body:
    """A body.

    Args:
        media: Its media type.
        kind: What kind of one that is: json, form, multipart, text or bytes.
        expression: What it holds.
        source: The media type in the document, and where that is.
        is_required: Whether it has to be there.
        encoding: The media types of parts that are not of the usual one.
        has_others: Whether the document offers other media types.
    """

    media: str
    kind: str
    expression: Expression
    source: Part
    is_required: bool = True
    encoding: Mapping[str, str] = field(default_factory=dict)
    has_others: bool = False


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
    def results(self) -> dict[str, Expression]:
        """What the answers hold by their statuses, as these are looked up: single ones, ranges of them, then any other."""
        order = sorted(self.answers, key=lambda status: (status == "default", status.endswith("XX"), status))
        bodies = {status: self.answers[status] for status in order}
        return {status: body.expression if body else NULL for status, body in bodies.items()}

    @property
    def ranges(self) -> list[range]:
        """The statuses of successes."""
        several = [status.replace("default", "2XX") for status in self.results if status in self.successes]
        return [range(int(it.replace("XX", "00")), int(it.replace("XX", "99")) + 1) for it in several]

    @property
    def expressions(self) -> list[Expression]:
        """What is sent and read."""
        bodies = [*self.events, *([self.body] if self.body else [])]
        sent = [each.member.expression for each in self.parameters]
        return [*sent, *self.results.values(), *(body.expression for body in bodies)]


@dataclass(frozen=True)
class Webhook:
    """A request that the API sends: the name of its parser, and what is in it."""

    name: str
    variable: str
    summary: str
    body: Body
