"""Functions of Python for operations and webhooks, before they are written down."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.regeneration.python_types import Member, Type, unite

EVENTS = "text/event-stream"


@dataclass
class Parameter(Member):
    """A parameter: where it goes, and how it is written if not in the usual way."""

    location: str = ""
    style: str = ""


@dataclass(frozen=True)
class Body:
    """A body: its media type, what kind of one that is, and its type."""

    media: str
    kind: str
    type: Type
    others: tuple[str, ...] = ()
    is_required: bool = True


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
    event: Type | None
    scheme: Scheme | None
    is_optional: bool
    server: str | None

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
        if self.event:
            return ", ".join(dict.fromkeys([EVENTS, *(read or ["application/json"])]))
        given = [
            media
            for media in dict.fromkeys(read)
            if media not in ("application/json", "*/*") and not media.startswith("text/")
        ]
        return ", ".join(given)

    @property
    def result(self) -> Type:
        """What any answer is read as."""
        return unite(self._read(status) for status in self.answers) if self.answers else Type(("None",))

    @property
    def success(self) -> Type:
        """What a success is read as."""
        return unite(self._read(status) for status in self.successes) if self.successes else Type(("None",))

    def _read(self, status: str) -> Type:
        body = self.answers[status]
        return Type(("None",)) if body is None else body.type

    @property
    def classes(self) -> set[str]:
        """The generated classes that it names."""
        used = [each.type for each in self.parameters] + [self.result]
        used += [self.body.type] if self.body else []
        used += [self.event] if self.event else []
        return {name for each in used for name in each.classes}


@dataclass(frozen=True)
class Webhook:
    """A request that the API sends: the name of its parser, and what is in it."""

    name: str
    variable: str
    summary: str
    type: Type
