"""Which proxy a server is reached through."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import anyio
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io.proxies import find_proxy
from payman_sdk._io.transport import build_async_http_client, build_http_client
from payman_sdk.errors import ConfigurationError

pytestmark = pytest.mark.slow


PROXY = "http://127.0.0.1:9"
NAME, IPV4, IPV6 = "api.payman.example", "10.1.2.3", "[fd07:b51a:cc66:f0::5]"

EXCEPTIONS = [
    # NO_PROXY, then whether a name, an IPv4 and an IPv6 address are reached directly
    ("", False, False, False),
    ("*", True, True, True),
    (" * ", True, True, True),
    ("other.example,*", False, False, False),  # as in curl, an asterisk counts alone
    ("payman.example", True, False, False),
    (".payman.example", True, False, False),
    ("PAYMAN.Example.", True, False, False),
    ("api.payman.example", True, False, False),
    ("ayman.example", False, False, False),
    ("other.example, payman.example", True, False, False),
    ("other.example payman.example", True, False, False),
    (",,other.example,,\tpayman.example,", True, False, False),
    ("*.payman.example", False, False, False),  # curl knows no wildcards in names
    ("*.corp.example", False, False, False),
    (".svc.cluster.local", False, False, False),
    ("payman.example:443", False, False, False),  # and no ports
    ("https://payman.example", False, False, False),
    ("localhost,127.0.0.1,::1/128", False, False, False),
    ("fd07:b51a:cc66:f0::/64", False, False, True),
    ("FD07:B51A:CC66:00F0:0::5", False, False, True),
    ("fe80::/10", False, False, False),
    ("fd00::/8,10.0.0.0/8", False, True, True),
    ("[fd07:b51a:cc66:f0::5]", False, False, False),
    ("[::1]", False, False, False),
    ("10.0.0.0/8", False, True, False),
    ("10.1.2.3/32", False, True, False),
    ("10.1.2.3", False, True, False),
    ("10.1.2.3/33", False, False, False),
    ("10.1.2.3/-1", False, False, False),
    ("10.0.0.0/8x", False, True, False),
    ("10.1.2.0/24 , 192.0.2.0/24", False, True, False),
    ("10.1.2", False, False, False),
    ("0.0.0.0/0", False, False, False),  # as in curl, the first address alone
    ("::/129", False, False, False),
    (f"::/{'9' * 5000}", False, False, False),
    ("http://[::1", False, False, False),
    ("[", False, False, False),
    ("%", False, False, False),
    ("..", False, False, False),
    ("/////", False, False, False),
    ("\x00\x1f,\udcff", False, False, False),
    ("ü.example,xn--", False, False, False),
    ("a" * 70 + ".example," + "." * 300, False, False, False),
]


def test_exceptions_are_read_as_curl_reads_them() -> None:
    """Names, addresses and ranges are reached directly; an entry that cannot be read matches nothing."""
    wrong = [
        (exceptions, name, host)
        for exceptions, *expected in EXCEPTIONS
        for name in ("no_proxy", "NO_PROXY")
        for host, is_direct in zip((NAME, IPV4, IPV6), expected, strict=True)
        if (find_proxy(f"https://{host}", {"HTTPS_PROXY": PROXY, name: exceptions}) is None) != is_direct
    ]
    assert wrong == []


def test_curl_agrees() -> None:
    """The curl of this machine chooses the same for every entry; older ones (7.x) know no ranges of IPv6."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    wrong = []
    for exceptions, *expected in EXCEPTIONS:
        # Blanks around the one asterisk are the one difference: curl takes them for part of it.
        if (
            exceptions == " * "
            or not exceptions.isprintable()
            or len(exceptions) > 200
            or not exceptions.isascii()
        ):
            continue
        for host, is_direct in zip((NAME, IPV4), expected[:2], strict=True):
            answered = subprocess.run(
                [curl, "-gsv", "--max-time", "0.05", "--resolve", f"{NAME}:1:127.0.0.1", f"http://{host}:1/"],
                env={"http_proxy": PROXY, "no_proxy": exceptions},
                capture_output=True,
                timeout=60,
                check=False,
            )
            if (b"env variable http_proxy" not in answered.stderr) != is_direct:
                wrong.append((exceptions, host))
    assert wrong == []


def test_the_variable_that_counts() -> None:
    """The one for https wins over the one for all, lower case over upper case, and an empty one does not count."""
    own, lower, upper = "https_proxy", "http://lower:1", "http://upper:1"
    table: list[tuple[dict[str, str], str | None]] = [
        ({}, None),
        ({own: lower}, lower),
        ({own.upper(): upper}, upper),
        ({own: lower, own.upper(): upper}, lower),
        ({own: "", own.upper(): upper}, upper),
        ({own: "  ", own.upper(): ""}, None),
        ({own: lower, "all_proxy": upper}, lower),
        ({"all_proxy": lower}, lower),
        ({"ALL_PROXY": upper}, upper),
        ({"http_proxy": lower, "HTTP_PROXY": upper}, None),
        ({"ftp_proxy": lower, "PROXY": upper, "TRAVIS_APT_PROXY": upper}, None),
        ({own: "proxy.example:3128"}, "http://proxy.example:3128"),
        ({own: "https://u:p%40ss@proxy.example"}, "https://u:p%40ss@proxy.example"),
        ({own: "http://[fd07::1]:3128"}, "http://[fd07::1]:3128"),
        ({own: " http://proxy.example "}, "http://proxy.example"),
        ({own: lower, "no_proxy": "", "NO_PROXY": "*"}, None),
        ({own: lower, "no_proxy": "other.example", "NO_PROXY": "*"}, lower),
    ]
    chosen = [(environ, find_proxy("https://payman.example", environ)) for environ, _ in table]
    assert chosen == table


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_is_reached_directly(host: str) -> None:
    """What is sent to this machine does not leave it, whatever the variables hold."""
    assert find_proxy(f"https://{host}:8000", {"https_proxy": "junk://", "ALL_PROXY": PROXY}) is None


BAD_PROXIES = [
    "junk://proxy",
    "http://proxy:port",
    "http://proxy:0",
    "http://proxy:99999",
    "http://",
    "http://:3128",
    "://",
    ":",
    "http://[::1",
    "http://[junk]:1",
    "http://[fd07::1]junk",
    "socks4://proxy:1080",
    "ftp://proxy",
    "file:///etc/passwd",
    "http://pro xy",
    "http://proxy\x00",
    "http://proxy\nX: y",
    "http://" + "a" * 70 + ".example",
    "http://a..b",
    "http://user:s3cret@",
    "http://user:s3cret@[::1",
    "\udcff",
]


def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the value, either client raises a ConfigurationError with the variable and none of the value."""
    given: Any = {"client_id": "pm-test-1", "client_secret": "unused", "base_url": "https://payman.example"}
    unexpected = []

    async def use() -> None:
        async with AsyncPaymanClient(**given) as client:
            await client.ask("list all wallets")

    def use_sync() -> None:
        with PaymanClient(**given) as client:
            client.ask("list all wallets")

    for value in BAD_PROXIES:
        for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            with pytest.raises(ConfigurationError) as caught:
                find_proxy("https://payman.example", {variable: value})
            said = str(caught.value)
            if not said.startswith(variable) or "s3cret" in said or (len(value) > 9 and value in said):
                unexpected.append((variable, value, said))
        if "\0" in value:  # which no environment can hold
            continue
        monkeypatch.setenv("HTTPS_PROXY", value)
        for run in (use_sync, lambda: anyio.run(use)):
            with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
                run()
    assert unexpected == []


def test_socks_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without socksio, a SOCKS proxy is refused with what to install; with it, it is chosen."""
    environ = {"ALL_PROXY": "socks5h://proxy.example:1080"}
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"ALL_PROXY names a SOCKS proxy.*httpx\[socks\]"):
        find_proxy("https://payman.example", environ)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert find_proxy("https://payman.example", environ) == environ["ALL_PROXY"]


def test_no_exception_keeps_a_client_from_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry that the environment can hold leaves both clients usable, with a proxy and without."""
    for exceptions in (exceptions for exceptions, *_ in EXCEPTIONS if "\0" not in exceptions):
        for proxies in ({}, {"HTTPS_PROXY": PROXY}):
            for name, value in {"NO_PROXY": exceptions, "HTTPS_PROXY": "", **proxies}.items():
                monkeypatch.setitem(os.environ, name, value)
            build_http_client("https://payman.example").close()
            anyio.run(build_async_http_client("https://payman.example").aclose)
