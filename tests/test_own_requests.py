"""The requests of own connections: what httpx would send, without httpx."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qsl

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk._core.http import Transmission
from payman_sdk._io.given_client import build_bare
from payman_sdk._io.http import build_request, convert_address, parse_address, prepare_request
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.peer import Peer

LIMITS = dict.fromkeys(("connect", "read", "write", "pool"), 5.0)
HOSTS = (
    "localhost",
    "Payman.Example",
    "127.0.0.1",
    "127.0.0.300",
    "1.2.3",
    "[::1]",
    "[fe80::1]",
    "bücher.example",
    "a_b",
    "-a",
    "",
)
PORTS = ("", ":", ":80", ":443", ":0443", ":8642", ":99999", ":1a")
PATHS = (
    "",
    "/",
    "/api/a2a/tasks/send",
    "/a/../b",
    "/a/./b",
    "/a//b",
    "/..a",
    "/ü",
    "/%41",
    "/a b",
    "/a?b=c",
    "/a#b",
    "/~x.y-z_1/",
)


@given(
    st.sampled_from(("http", "https", "HTTP", "ftp")),
    st.sampled_from(HOSTS),
    st.sampled_from(PORTS),
    st.sampled_from(PATHS),
)
def test_an_address_is_read_as_httpx_reads_it(scheme: str, host: str, port: str, path: str) -> None:
    """Usual ones without httpx, all others with it; what it refuses is refused."""
    url = f"{scheme}://{host}{port}{path}"
    try:
        expected = convert_address(httpx.URL(url))
    except httpx.InvalidURL:
        with pytest.raises(httpx.InvalidURL):
            parse_address(url)
        return
    assert parse_address(url) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"json": {"text": "Grüße", "of": [1, None, True, 0.5]}},
        {"json": []},
        {"content": b"\xff\0"},
        {"content": "null"},
        {},
        {"params": {"code": "a/b c&d=é", "grant_type": "x"}},
        {"data": {"a": "b c", "d": ["1", "2"]}},
        {"method": "get"},
        {"method": "post"},
        {"method": "DELETE"},
    ],
    ids=str,
)
def test_a_request_is_written_as_httpx_writes_it(given: dict[str, Any]) -> None:
    """Method, address, headers and body, for whatever the generated functions may ask for."""
    asked = {"method": "POST", "url": "/a/b", "headers": {"Content-Type": "x/y"}, **given}
    prepared: list[Any] = [
        prepare_request(
            build, asked, "http://localhost:80", LIMITS, Transmission().note, {"X-Gateway": "open"}
        )
        for build in (build_request, build_bare)
    ]
    own, by_httpx = prepared
    assert isinstance(own, httpcore.Request)
    assert own.method.decode() == by_httpx.method
    path, _, query = own.url.target.partition(b"?")
    assert path == by_httpx.url.raw_path.partition(b"?")[0]
    assert dict(parse_qsl(query.decode())) == given.get("params", {})
    usual = {name.lower(): value for name, value in own.headers}
    expected = {name.lower(): value for name, value in by_httpx.headers.raw}
    assert usual.pop(b"user-agent").split(b"/")[:2] == expected.pop(b"user-agent").split(b"/")[:2]
    body: Any = own.stream
    content = b"".join(body)
    if "json" in given:  # httpx 0.27 puts spaces in it
        assert json.loads(content) == json.loads(by_httpx.content) == given["json"]
    else:
        assert content == by_httpx.content
    length, by_httpx_too = usual.pop(b"content-length", None), expected.pop(b"content-length", None)
    assert length in (None, b"%d" % len(content)) and (length is None) is (by_httpx_too is None)
    assert usual == expected


@pytest.mark.parametrize(
    "given",
    [
        {"files": {"a": b"b"}},
        {"unheard": 1},
        {"json": {"a": object()}},
        {"json": float("nan")},
        {"headers": {"X": "é"}},
    ],
    ids=["a file", "an unknown keyword", "no JSON", "not a number", "no ASCII"],
)
def test_what_cannot_be_written_is_refused_before_sending(given: dict[str, Any]) -> None:
    """A keyword that nobody listed, too: a request without it would be another one."""
    asked = {"method": "POST", "url": "/a", **given}
    with pytest.raises(ConfigurationError, match="cannot be serialized") as caught:
        prepare_request(build_request, asked, "http://localhost", LIMITS, Transmission().note)
    assert caught.value.sent is False


PROGRAM = """
import asyncio, sys
sys.modules["trio"] = None
from payman_sdk import AsyncPaymanClient, PaymanClient
given = dict(client_id=sys.argv[1], client_secret=sys.argv[2], base_url=sys.argv[3])
with PaymanClient(**given) as client:
    print(client.ask("list all wallets").status, "httpx" in sys.modules)
    with client.stream("list all wallets") as stream:
        print(stream.result().status, "httpx" in sys.modules)
async def main(**more):
    async with AsyncPaymanClient(**given, **more) as client:
        print((await client.ask("list all wallets")).status, "httpx" in sys.modules)
asyncio.run(main())
asyncio.run(main(transport="aiohttp"))
"""


@pytest.mark.slow
def test_own_connections_need_no_httpx() -> None:
    """It takes longer to import than an ask takes."""
    with Sandbox() as sandbox:
        command = [sys.executable, "-c", PROGRAM, sandbox.client_id, sandbox.client_secret, sandbox.base_url]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["completed False"] * 4


REPLACED = """
import sys
import httpcore
def handle(*_):
    raise httpcore.ConnectError("mocked")
httpcore.ConnectionPool.handle_request = handle
from payman_sdk import PaymanClient
with PaymanClient(client_id="a", client_secret="b", base_url=sys.argv[1], max_retries=0) as client:
    try:
        client.ask("hello")
    except Exception as error:
        print(type(error).__name__, "httpx" in sys.modules)
"""


@pytest.mark.slow
def test_a_mock_of_httpcore_is_seen_where_httpx_is_not_imported(peer: Peer) -> None:
    """What replaces httpcore's connections gets the request, by httpx, and the server gets none."""
    command = [sys.executable, "-c", REPLACED, peer.base_url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["APIConnectionError", "True"], done.stdout
    assert peer.requests == []
