"""What the endpoint functions send with. Programs that have an httpx client of their own need only `build_request` and `parse_answer`."""

from ssl import SSLContext
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx
from attrs import define, field

Scheme = tuple[str, str, str]
"""Where an access token goes: the place (header, query or cookie), the name in it, and what is before the token."""


@define(eq=False)
class Client:
    """Sends requests that need no access token.

    Attributes:
        base_url: Where the API is, such as `SERVERS["LIVE"]`.
        headers: Sent with every request.
        timeout: Seconds, or an `httpx.Timeout`.
        verify: Whether, or with what, certificates are checked.
        httpx_args: Further arguments of `httpx.Client` and `httpx.AsyncClient`.
        raise_on_unexpected_status: Whether a status that the spec does not have raises `errors.UnexpectedStatus`.
        servers: Where to send what the spec sends to another server than `base_url`, by the address that the spec has.
    """

    _scheme: ClassVar[Scheme | None] = (
        "header",
        "x-payman-access-token",
        "",
    )  # where most operations want it
    base_url: str
    headers: dict[str, str] = field(factory=dict, kw_only=True, repr=False)
    timeout: httpx.Timeout | float | None = field(default=60.0, kw_only=True)
    verify: SSLContext | str | bool = field(default=True, kw_only=True)
    httpx_args: dict[str, Any] = field(factory=dict, kw_only=True, repr=False)
    raise_on_unexpected_status: bool = field(default=False, kw_only=True)
    servers: dict[str, str] = field(factory=dict, kw_only=True)
    _client: httpx.Client | None = field(default=None, init=False, repr=False)
    _async_client: httpx.AsyncClient | None = field(default=None, init=False, repr=False)

    def _arguments(self) -> dict[str, Any]:
        return {
            "base_url": self.base_url,
            "headers": self.headers,
            "timeout": self.timeout,
            "verify": self.verify,
            **self.httpx_args,
        }

    def prepare(
        self, request: dict[str, Any], scheme: Scheme | None = None, server: str | None = None
    ) -> dict[str, Any]:
        """Return a request with what its operation wants: its server, and the access token if there is one.

        Args:
            request: What `build_request` has returned.
            scheme: Where the operation wants the access token; None where it wants none.
            server: The address that the spec has for this operation, if it has one of its own.
        """
        if server is None:
            return request
        return {**request, "url": self.servers.get(server, server).rstrip("/") + request["url"]}

    def _prepare_raw(self, method: str, path: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError("path has to begin with one slash; it is added to base_url")
        return self.prepare({"method": method, "url": path, **arguments}, self._scheme)

    def get_httpx_client(self) -> httpx.Client:
        """Give the `httpx.Client` behind this one, made on first need."""
        if self._client is None:
            self._client = httpx.Client(**self._arguments())
        return self._client

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """Give the `httpx.AsyncClient` behind this one, made on first need."""
        if self._async_client is None:
            self._async_client = httpx.AsyncClient(**self._arguments())
        return self._async_client

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send any request, such as one that the spec does not have, and return the answer whatever its status.

        Args:
            method: Of HTTP.
            path: Below `base_url`; it begins with a slash.
            arguments: As for `httpx.Client.request`.

        Raises:
            ValueError: `path` is an address; this client's headers belong to `base_url` alone.
        """
        return self.get_httpx_client().request(**self._prepare_raw(method, path, arguments))

    async def arequest(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Do as `request`, asynchronously."""
        return await self.get_async_httpx_client().request(**self._prepare_raw(method, path, arguments))

    def __enter__(self) -> Self:
        self.get_httpx_client().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.get_httpx_client().__exit__(kind, error, traceback)

    async def __aenter__(self) -> Self:
        await self.get_async_httpx_client().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.get_async_httpx_client().__aexit__(kind, error, traceback)


@define(eq=False)
class AuthenticatedClient(Client):
    """Sends requests that carry an access token.

    Attributes:
        token: The access token.
    """

    token: str = field(kw_only=True, repr=False)

    def prepare(
        self, request: dict[str, Any], scheme: Scheme | None = None, server: str | None = None
    ) -> dict[str, Any]:
        """Do as `Client.prepare`; the access token goes where `scheme` says, and nowhere without it."""
        # A call and not `super()`, which attrs' slotted classes rebuild behind the method's back.
        prepared = Client.prepare(self, request, scheme, server)
        if scheme is None:
            return prepared
        place, name, prefix = scheme
        if place == "query":
            params = httpx.QueryParams(prepared.get("params"))
            return {**prepared, "params": params.merge({name: prefix + self.token})}
        headers = dict(prepared.get("headers") or {})
        if place == "cookie":
            name, prefix = "Cookie", "; ".join(filter(None, [headers.get("Cookie"), f"{name}="]))
        return {**prepared, "headers": {**headers, name: prefix + self.token}}
