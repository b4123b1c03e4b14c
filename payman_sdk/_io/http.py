"""One HTTP request: written down, its limits, and what is taken of its answer."""

from __future__ import annotations

import functools
import json as json_of_python
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from urllib.parse import urlencode

import httpcore

from payman_sdk._annotations import NamedTuple
from payman_sdk._core.effects import SendRequest
from payman_sdk._io.routes import PORTS, is_httpx_needed
from payman_sdk._io.streams import ACCEPTED
from payman_sdk._secrets import reveal_for_wire
from payman_sdk._url import parse_ip
from payman_sdk._version import __version__
from payman_sdk.errors import APITimeoutError, ConfigurationError

if TYPE_CHECKING:
    import httpx

    AnyRequest: TypeAlias = httpx.Request | httpcore.Request


class Timeouts(NamedTuple):
    """How long one request may take, in seconds: to connect, and to be answered."""

    connect: float
    read: float


def prepare_request(
    build: Callable[..., AnyRequest],
    request: Mapping[str, Any],
    base_url: str,
    timeout: Mapping[str, float],
    report: Any,
    headers: Mapping[str, str] | None = None,
) -> AnyRequest:
    """Return the request that `build` makes of its keywords, with the program's headers for every request.

    `report` gets its steps; `timeout` limits them, by httpcore's names. Raises ConfigurationError; nothing was sent.
    """
    sent: dict[str, Any] = {}
    try:
        sent = {**request, "url": f"{base_url}{request['url']}"}
        sent["headers"] = {**(headers or {}), **sent.get("headers", {}), "Accept-Encoding": ACCEPTED}
        for name in ("headers", "params"):
            if name in sent:
                sent[name] = reveal_for_wire(sent[name])
        return build(**sent, timeout=timeout, report=report)
    except Exception as error:
        failure = ConfigurationError(
            f"The request cannot be serialized: {type(error).__name__}.",
            next_step="Check base_url, and what metadata and text hold.",
            sent=False,
        )
        sent.clear()
    raise failure


def build_request(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    timeout: Mapping[str, float],
    report: Any,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | str = b"",
    data: Mapping[str, Any] | None = None,
) -> httpcore.Request:
    """Return a request for the client's own connections, with the headers and body that httpx would give it."""
    address = parse_address(url)
    if params:
        target = b"%b?%b" % (address.target, urlencode(params).encode())
        address = httpcore.URL(scheme=address.scheme, host=address.host, port=address.port, target=target)
    if json is not None:
        content = _JSON.encode(json)
    elif data is not None:
        content = urlencode(data, doseq=True)
    body = content.encode() if isinstance(content, str) else content
    named = {**USUAL, **headers, "User-Agent": USER_AGENT}
    written = [(name.encode("ascii"), value.encode("ascii")) for name, value in named.items()]
    written.insert(0, (b"Host", write_host(address)))
    if body or method.upper() in _WITH_BODY:
        written.append((b"Content-Length", b"%d" % len(body)))
    extensions = {"timeout": timeout, "trace": report}
    built = httpcore.Request(method.upper(), address, content=RequestBody(body), extensions=extensions)
    built.headers = written  # httpcore would look at each once more, whether it is bytes
    return built


USUAL: Final = {"Accept": "*/*", "Connection": "keep-alive"}
"""What httpx sends with every request, beside what depends on it."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_JSON = json_of_python.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
SDK_AGENT: Final = f"paymanai-sdk/{__version__} python/{sys.version_info.major}.{sys.version_info.minor}"
"""How the SDK names itself; behind it is the library that it sends with."""
USER_AGENT: Final = f"{SDK_AGENT} httpcore/{httpcore.__version__}"


def take_report(request: httpcore.Request) -> tuple[httpcore.Request, Any]:
    """Return a request without httpcore's reports, and what they would have gone to.

    The reports of all steps would take a twentieth of an ask; the connections report what counts.
    """
    extensions = dict(cast("dict[str, Any]", request.extensions))
    report = extensions.pop("trace", None)
    taken = httpcore.Request(request.method, request.url, content=request.stream, extensions=extensions)
    taken.headers = request.headers
    return taken, report


def get_limits(request: httpcore.Request) -> dict[str, float]:
    """Return the limits of the parts of a request, in seconds."""
    limits: dict[str, float] = cast("dict[str, Any]", request.extensions).get("timeout", {})
    return limits


class RequestBody:
    """The body of a request. httpcore would use a generator, and trio objects to one that a cancellation leaves unfinished."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __iter__(self) -> Iterator[bytes]:
        return iter((self.content,))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _SingleChunk(self.content)


class _SingleChunk(AsyncIterator[bytes]):
    def __init__(self, content: bytes) -> None:
        self._left: list[bytes] = [content]

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


_PLAIN = re.compile(
    r"(https?)://(\[::1\]|[a-z\d](?:[a-z\d.-]*[a-z\d])?)(?::(\d{1,5}))?((?:/[\w~-][\w.~-]*)*/?)", re.ASCII
)
"""An address without anything to encode or leave out, if its host is a name or an IP address."""


@functools.lru_cache(maxsize=64)
def parse_address(url: str) -> httpcore.URL:
    """Return an address parsed as by httpx, cached: there are as many as servers and operations. Raises httpx.InvalidURL."""
    plain = _PLAIN.fullmatch(url)
    if plain is not None and (plain[2].strip(".-0123456789") or parse_ip(plain[2]) is not None):
        scheme, host, port, path = plain.groups()
        number = None if port is None or int(port) == PORTS[scheme.encode()] else int(port)
        return httpcore.URL(scheme=scheme, host=host.strip("[]"), port=number, target=path or "/")
    import httpx  # it knows what has to be encoded

    return convert_address(httpx.URL(url))


def convert_address(url: httpx.URL) -> httpcore.URL:
    """Return an address of httpx's as one of httpcore's."""
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def write_host(address: httpcore.URL) -> bytes:
    """Return the host and port of an address, as the header `Host` has them."""
    host = b"[%b]" % address.host if b":" in address.host else address.host
    return host if address.port is None else b"%b:%d" % (host, address.port)


class OwnConnections:
    """Sends without a client of httpx, for a client that was given none.

    httpx's authentication, redirects, cookies and hooks would take as long as the SDK's work for an ask. `way` sends, for threads
    or for tasks: own connections, or a given transport. `create_client` makes a client of httpx that sends the same way.
    `connections` are those behind `way`, if any.
    """

    def __init__(self, way: Any, create_client: Callable[[Any], Any], connections: Any = None) -> None:
        self.way = way
        self.connections = connections or way
        self.is_closed = False
        self.build_request: Callable[..., AnyRequest] = way.build_request
        self._create_client = create_client
        self._client: tuple[Any, Any] | None = None

    def is_watched(self) -> bool:
        """Return whether a client of httpx is to send: somebody watches one, or replaces what it sends with."""
        return is_httpx_needed(sends_itself=self.way.sends_itself)

    def send(self, request: AnyRequest, **_: Any) -> Any:
        """Send a request, and return the answer with its body still to be read; for tasks, an awaitable of it."""
        return self.way.send(request)

    def as_httpx(self) -> Any:
        """Return a client of httpx that sends the same way, of the class that has that name now."""
        import httpx

        kinds = httpx.Client, httpx.AsyncClient
        if self._client is None or self._client[0] != kinds:
            self._client = kinds, self._create_client(self.way)
        return self._client[1]

    def close(self) -> None:
        self.is_closed = True
        self.way.close()

    async def aclose(self) -> None:
        self.is_closed = True
        await self.way.aclose()


def check_usable(http: Any) -> None:
    """Refuse connections that are closed, or belong to another process or event loop; nothing was sent."""
    if http.is_closed:
        raise ConfigurationError("This client has been closed.", next_step="Create a new client.", sent=False)
    if (check := getattr(getattr(http, "way", None), "check_usable", None)) is not None:
        try:
            check()
        except ConfigurationError as error:
            error.sent = False
            raise
        except Exception as error:
            problem = f"The function given as transport failed: {type(error).__name__}."
            raise ConfigurationError(problem, next_step="Correct it.", sent=False) from error


def limit_request(
    step: SendRequest, now: float, patience: Timeouts, *, hurry: float = 0.0
) -> tuple[float, dict[str, float]]:
    """Return when the answer to a request must be there, and the limits that this sets to its parts.

    `hurry` is the share of the time to keep back while waiting for a free connection, at most a second. If a cancellation enforces
    the deadline, the wait must end before it, so that the error says what it waited for. Raises APITimeoutError if the deadline has
    passed; nothing was sent.
    """
    until = min(step.deadline, now + (patience.read if step.patience is None else step.patience))
    left = until - now
    if left <= 0:
        raise APITimeoutError("The timeout of the ask ended before the request could be sent.", sent=False)
    pool = left - min(_MOST_HURRY, left * hurry)
    return until, {"connect": min(patience.connect, left), "read": left, "write": left, "pool": pool}


_MOST_HURRY = 1.0
