"""The connections of a client that was given none, and the certificates they trust: the environment's, else httpx's."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from payman_sdk._io.http import OwnConnections, parse_address
from payman_sdk._io.routes import Route
from payman_sdk._refusals import build_missing_error
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError

_MOST_UNDER_THREADS = 100
_MOST_OF_TASKS = 1000
"""How many connections there may be at most; each open stream holds one."""


def build_http_client(
    base_url: str, transport: Any = None, proxy: SecretStr | None = None, verify: object = None
) -> OwnConnections:
    """Return what a client sends with that was given nothing, or only a transport.

    Without `proxy`, the environment counts, and this machine is reached directly. Raises ConfigurationError if a setting or a
    variable names an unusable proxy or certificates.
    """
    if transport is None:
        from payman_sdk._io.pool import Pool

        return _wrap_connections(Pool(_MOST_UNDER_THREADS, _find_route(base_url, proxy, verify)))
    from payman_sdk._io.given_transport import UserTransport

    return _wrap_connections(UserTransport(transport))


def build_async_http_client(
    base_url: str, transport: Any = None, proxy: SecretStr | None = None, verify: object = None
) -> OwnConnections:
    """Return the same for asyncio and trio; "aiohttp" as a transport are the connections of that."""
    if transport is None:
        from payman_sdk._io.async_pool import AsyncPool  # here, because an event loop takes a while to import

        return _wrap_connections(AsyncPool(_MOST_OF_TASKS, _find_route(base_url, proxy, verify)))
    if transport == "aiohttp":
        from importlib.util import find_spec

        if find_spec("aiohttp") is None:
            raise build_missing_error("transport is 'aiohttp', which needs that package", "aiohttp")
        from payman_sdk._io.aiohttp_transport import AiohttpPool

        return _wrap_connections(AiohttpPool(_MOST_OF_TASKS, _find_route(base_url, proxy, verify)))
    from payman_sdk._io.given_transport import AsyncUserTransport

    return _wrap_connections(AsyncUserTransport(transport))


def _wrap_connections(way: Any) -> OwnConnections:
    def create_client(way: Any) -> Any:
        from payman_sdk._io.httpx_client import create_client

        return create_client(way)

    return OwnConnections(way, create_client, getattr(way, "transport", None))


def _find_route(base_url: str, proxy: SecretStr | None, verify: object) -> Route:
    """Return the way to the client's server."""
    certificates = load_given(verify) or create_ssl_context(urlsplit(base_url).scheme, os.environ)
    address: str | None = None
    if proxy is not None:
        from payman_sdk._io.proxies import check_proxy

        address = check_proxy("proxy", proxy.reveal())
    return Route(parse_address(base_url), certificates, address)


_FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""OpenSSL's name wins over those of requests, which version 1 used, and curl. Each may name a folder, too."""

_FOLDERS = "SSL_CERT_DIR"


def create_ssl_context(scheme: str, environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return whom to trust on connections of a scheme; None for plain http.

    Nothing is read for plain http: that takes longer than the first ask. SSL_CERT_FILE and SSL_CERT_DIR count, together if both are
    set; else REQUESTS_CA_BUNDLE, else CURL_CA_BUNDLE. An empty variable counts as unset. Raises ConfigurationError.
    """
    if scheme == "http":
        return None
    named = {name: path for name in (*_FILES, _FOLDERS) if (path := environ.get(name, "").strip())}
    file = next((name for name in _FILES if name in named), None)
    if _FOLDERS in named and file != _FILES[0]:
        file = None
    paths = [(name, named[name], _get_mtime(named[name])) for name in (file, _FOLDERS) if name in named]
    return _load_context(tuple(paths))


def load_given(verify: object) -> ssl.SSLContext | None:
    """Return whom the program says to trust, by a context or a file of certificates; None for the environment's."""
    if verify is None or verify is True:
        return None
    if isinstance(verify, ssl.SSLContext):
        return verify
    path = os.fspath(cast("str | os.PathLike[str]", verify))
    path = path.reveal() if isinstance(path, SecretStr) else path
    return _load_context((("verify", path, _get_mtime(path)),))


@functools.lru_cache(maxsize=8)
def _load_context(named: tuple[tuple[str, str, int], ...]) -> ssl.SSLContext:
    """Return the certificates of files and folders. Reading takes longer than an ask, so clients of a process share them."""
    if named:
        file, folder = _read_location(*named[0][:2])
    else:
        import certifi

        file, folder = certifi.where(), None
    try:
        context = ssl.create_default_context(cafile=file, capath=folder)
    except OSError as error:
        # OpenSSL does not name the file of certificates.
        fix = "Correct or unset SSLKEYLOGFILE." if error.filename else f"Check {file or folder}."
        raise ConfigurationError(f"TLS cannot be set up: {error}.", next_step=fix) from None
    for variable, path, _ in named[1:]:
        context.load_verify_locations(*_read_location(variable, path))
    return context


def _read_location(variable: str, path: str) -> tuple[str | None, str | None]:
    """Return the file or the folder of a variable, as OpenSSL takes them."""
    folders = path.split(os.pathsep) if variable == _FOLDERS else [path]
    try:
        if any(_is_readable_folder(folder) for folder in folders):
            return None, path
        if variable == _FOLDERS:
            raise NotADirectoryError("The folder does not exist")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        said = "it holds no certificate" if isinstance(error, ssl.SSLError) else _describe_error(error)
        raise ConfigurationError(
            f"{variable} names {path!r}, which cannot be read: {said}.",
            next_step=f"Name a file of certificates in PEM form, or {'leave it out' if variable == 'verify' else 'unset the variable'}.",
        ) from None
    return path, None


def _is_readable_folder(path: str) -> bool:
    if not Path(path).is_dir():
        return False
    with os.scandir(path):
        return True


def _describe_error(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _get_mtime(path: str) -> int:
    """When a file was last written, so that a renewed bundle is read again; 0 without one."""
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError):
        return 0
