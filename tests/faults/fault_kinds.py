"""What can go wrong with one request, and whether the server gets it nevertheless."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum


class Kind(Enum):
    """A kind of fault; its value is its name on the command line."""

    REFUSED = "refused"
    """No connection is taken for a moment: the client's system says that it is refused."""
    HUNG_UP = "hung-up"
    """The connection is taken, and closed or reset before anything is read from it."""
    LOST = "lost"
    """The request is read, and the connection closed or reset; the server gets nothing."""
    UNAUTHORIZED = "401"
    """Answered for the server, which gets nothing."""
    LIMITED_SECONDS = "429-seconds"
    """429 with Retry-After in seconds (of which the smallest number is 0); the server gets nothing."""
    LIMITED_DATE = "429-date"
    """429 with Retry-After as a date, which has just passed; the server gets nothing."""
    LIMITED_MS = "429-ms"
    """429 with retry-after-ms; the server gets nothing."""
    LIMITED = "429"
    """429 that does not say when to come again; the server gets nothing."""
    BUSY = "503-seconds"
    """503 with Retry-After; the server gets nothing."""
    UNAVAILABLE = "503"
    """503 without Retry-After, which leaves open whether the server got the request: here it may have."""
    BROKEN = "500"
    """500; the server may have got the request."""
    BAD_GATEWAY = "502"
    """502; the server may have got the request."""
    GATEWAY_TIMEOUT = "504"
    """504; the server may have got the request."""
    UNAUTHORIZED_TAKEN = "401-taken"
    """401, and the server got the request."""
    CONFLICT_TAKEN = "409-taken"
    """409, and the server got the request."""
    TIMEOUT_TAKEN = "408-taken"
    """408, and the server got the request."""
    LIMITED_TAKEN = "429-taken"
    """429 with Retry-After, and the server got the request."""
    BUSY_TAKEN = "503-seconds-taken"
    """503 with Retry-After, and the server got the request."""
    FOREIGN = "foreign"
    """The server gets the request; the client's transport raises an exception of another library in place of the answer."""
    ODD = "odd"
    """The answer comes in a shape that the protocol does not quite allow."""
    ANSWER_LOST = "answer-lost"
    """The server gets the request; the connection is closed or reset before the client gets a byte."""
    CUT = "cut"
    """The answer ends at any byte: the connection is closed or reset there."""
    SLOW = "slow"
    """The answer comes when the client has lost its patience."""
    LATE = "late"
    """The server gets the request when the client has lost its patience."""
    HTML = "html"
    """The server gets the request; the client gets a web page, with status 200."""
    TRUNCATED = "truncated"
    """The answer's body ends too early, and its Content-Length says that this is all."""
    TWO = "two"
    """The answer comes twice in one piece; nobody asked for the second one."""
    DRIP = "drip"
    """The answer comes in small pieces, but it comes."""
    STUCK = "stuck"
    """The answer comes a byte at a time from somewhere in its body on, too slowly to come to its end in time."""
    STUCK_HEAD = "stuck-head"
    """The same, from the first byte on."""
    RESTART = "restart"
    """The server restarts while it has the request, or just before, or just after."""

    @property
    def forwards(self) -> bool | None:
        """Whether the server gets the request; None where that depends on the fault's details."""
        if self in _NOT_FORWARDED:
            return False
        return None if self in _PERHAPS else True

    @property
    def status(self) -> int | None:
        """The HTTP status with which something in between answers for the server."""
        digits = self.value.partition("-")[0]
        return int(digits) if digits.isdigit() else None

    @property
    def is_lying_refusal(self) -> bool:
        """Whether it looks like a refusal before the server saw the request, and the server took it."""
        return self in (Kind.UNAUTHORIZED_TAKEN, Kind.LIMITED_TAKEN, Kind.BUSY_TAKEN)

    @property
    def is_about_connections(self) -> bool:
        """Whether it strikes before there is a request to read."""
        return self in (Kind.REFUSED, Kind.HUNG_UP)


_NOT_FORWARDED = frozenset(
    {
        Kind.REFUSED,
        Kind.HUNG_UP,
        Kind.LOST,
        Kind.UNAUTHORIZED,
        Kind.LIMITED_SECONDS,
        Kind.LIMITED_DATE,
        Kind.LIMITED_MS,
        Kind.LIMITED,
        Kind.BUSY,
    }
)
_PERHAPS = frozenset({Kind.UNAVAILABLE, Kind.BROKEN, Kind.BAD_GATEWAY, Kind.GATEWAY_TIMEOUT, Kind.RESTART})


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Args:
        kind: What.
        share: Where, as a part of the whole, from 0 to 1: of the answer that is cut, of a restart's moment.
        resets: Whether a connection ends with a reset rather than a close.
        forwards: Whether the server gets the request; settled by the kind for most.
        seconds: How long it takes: until a connection is taken again, until an answer comes, until the client may come
            again.

    Example:
        >>> from tests.faults import Fault, Kind
        >>> print(Fault(Kind.CUT, share=0.25, resets=True))
        cut at 25%, reset
    """

    kind: Kind
    share: float = 0.5
    resets: bool = False
    forwards: bool = True
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind.forwards is not None:
            object.__setattr__(self, "forwards", self.kind.forwards)

    @property
    def hint(self) -> dict[str, str]:
        """The headers with which its answer says when to come again."""
        match self.kind:
            case Kind.LIMITED_SECONDS | Kind.BUSY | Kind.LIMITED_TAKEN | Kind.BUSY_TAKEN:
                return {"retry_after": "0"}
            case Kind.LIMITED_DATE:
                return {"retry_after": formatdate(usegmt=True)}  # it has passed when it is read
            case Kind.LIMITED_MS:
                return {"retry_after_ms": f"{self.seconds * 1000:.0f}"}
            case _:
                return {}

    def __str__(self) -> str:
        said = self.kind.value
        if self.kind in (Kind.CUT, Kind.TRUNCATED, Kind.RESTART, Kind.STUCK):
            said += f" at {self.share:.0%}"
        if self.kind in (Kind.HUNG_UP, Kind.LOST, Kind.ANSWER_LOST, Kind.CUT):
            said += ", reset" if self.resets else ", closed"
        if self.kind in _PERHAPS and self.kind is not Kind.RESTART:
            said += ", forwarded" if self.forwards else ", not forwarded"
        return said + (f" ({self.seconds * 1000:.0f} ms)" if self.seconds else "")
