"""`allow_http_hosts`: the hosts that a client may reach over plain http."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from payman_api import AUTHORIZATION_SERVER, SERVERS
from payman_sdk import AsyncPaymanClient, PaymanClient, login
from payman_sdk._cli.settings import resolve
from payman_sdk._client.environment import load_env_config, read_env_file
from payman_sdk._config import read_config
from payman_sdk._core.auth.authorization import authorization_url
from payman_sdk._url import is_of_payman
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from payman_sdk.types import PaymentOutcome

HOSTS, URL = "PAYMAN_ALLOW_HTTP_HOSTS", "PAYMAN_BASE_URL"
ID, KEY = "PAYMAN_CLIENT_ID", "PAYMAN_CLIENT_SECRET"
SANDBOX = "http://sandbox:8642"
CREDENTIALS: dict[str, Any] = {"client_id": "pm-test-1", "client_secret": "s3cret"}

LISTED: list[tuple[list[str], str, bool]] = [
    # what is listed, the address, and whether it is taken
    (["sandbox"], "http://sandbox:8642", True),
    (["sandbox"], "http://sandbox", True),
    (["sandbox"], "http://SandBox:1/prefix", True),
    (["SANDBOX."], "http://sandbox:8642", True),
    (["sandbox"], "http://sandbox.:8642", True),
    (["sandbox:8642"], "http://sandbox:8642", True),
    (["sandbox:80"], "http://sandbox", True),
    (["my_sandbox", "other"], "http://my_sandbox:8642", True),
    (["10.0.0.7"], "http://10.0.0.7:8642", True),
    (["fd00::7"], "http://[fd00:0:0::7]:8642", True),
    (["[fd00::7]:8642"], "http://[fd00::7]:8642", True),
    (["b\u00fccher.lan"], "http://xn--bcher-kva.lan:1", True),
    (["xn--bcher-kva.lan"], "http://b\u00fccher.lan:1", True),
    (["sandbox"], "https://payman.example", True),
    ([], "http://127.0.0.1:8642", True),
    ([], "http://sandbox:8642", False),
    (["other"], "http://sandbox:8642", False),
    (["sandbox:8642"], "http://sandbox:8643", False),
    (["sandbox:8642"], "http://sandbox", False),
    (["[fd00::7]:8642"], "http://[fd00::7]:1", False),
    (["sandbox"], "http://sandbox.evil.example:8642", False),
    (["sandbox"], "http://evil.sandbox:8642", False),
    (["lan"], "http://sandbox.lan:8642", False),
    (["sandbox"], "http://sandbox2:8642", False),
    (["sandbox"], "http://sandbox@evil.example", False),
    (["sandbox"], "http://evil.example/sandbox", False),
    (["sandbox"], "http://\uff53andbox:8642", False),
    (["sandbox.lan"], "http://sandbox\u3002lan:8642", False),
    (["strasse.lan"], "http://stra\u00dfe.lan:1", False),
    (["10.0.0.7"], "http://010.0.0.7:1", False),
    (["10.0.0.7"], "http://[::ffff:10.0.0.7]:1", False),
    (["sandbox"], "ftp://sandbox:8642", False),
    (["sandbox"], "http://agent.payman.ai", False),
    ([], "http://[::1]evil.example", False),
    ([], "http://[::1].evil.example:80", False),
    ([], "http://evil.example[::1]", False),
    ([], "http://evil.example[::1]:80/x", False),
    ([], "http://[::1]]:80", False),
    (["fd00::7"], "http://evil.example[fd00::7]", False),
    ([], "https://evil.example[fd00::7]", False),
]


def test_http_is_for_hosts_that_are_listed_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listed host is taken in each of its spellings, as a setting and as a variable; every other one is refused."""
    wrong = []
    for listed, address, is_taken in LISTED:
        for is_variable in (False, True):
            monkeypatch.setenv(HOSTS, ",".join(listed) if is_variable else "")
            settings = CREDENTIALS | {"base_url": address}
            try:
                read_config(settings, {} if is_variable else {"allow_http_hosts": tuple(listed)})
            except ConfigurationError as error:
                taken = False
                assert str(error).startswith("base_url ")
            else:
                taken = True
            if taken is not is_taken:
                wrong.append((listed, address, is_variable))
    assert wrong == []


def test_an_entry_that_is_not_exactly_a_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern, an address, a path, a wrong type or a server of Payman's is an error that names the setting, whatever the server."""
    entries: list[Any] = [
        "*", "sand\tbox", "*.lan", "sand*", ".lan", "", " ", "http://sandbox", "//sandbox", "sandbox/", "sandbox:8642/x", "me@sandbox", "sandbox:", "sandbox:x",
        "sandbox:99999", "sandbox?", "sandbox#", "a b", "a,b", "sand\u200bbox", "\uff53andbox", "stra\u00dfe", "10.0.0.0/8", "[fd00::7", "a..b", "%73andbox",
        5, None, b"sandbox", ["sandbox"], "payman.ai", "agent.payman.ai", "AGENT.payman.ai.", "agent.payman.ai:80", "x.agent.payman.dev", "app.paymanai.com",
        "payman.ngrok.dev",
    ]  # fmt: skip
    taken = []
    for entry in entries:
        try:
            read_config(CREDENTIALS, {"allow_http_hosts": ["sandbox", entry]})
        except ConfigurationError as error:
            assert str(error).startswith("allow_http_hosts holds ") and error.next_step
        else:
            taken.append(entry)
    assert taken == []
    for given in ("sandbox", 5, {"sandbox": True}, iter(["sandbox"])):
        with pytest.raises(ConfigurationError, match=r"^allow_http_hosts is an? "):
            read_config(CREDENTIALS, {"allow_http_hosts": given})
    monkeypatch.setenv(HOSTS, "sandbox, *.lan")
    with pytest.raises(ConfigurationError, match=rf"^{HOSTS} in the environment holds '\*\.lan'"):
        PaymanClient(**CREDENTIALS)


def test_every_server_of_payman_is_known_as_one() -> None:
    """No server that the document names can be listed, nor one beside it."""
    for server in (*SERVERS.values(), AUTHORIZATION_SERVER):
        host = urlsplit(server).hostname or ""
        assert is_of_payman(host)
        assert is_of_payman(f"new.{host.partition('.')[2]}.")
    assert not is_of_payman("payman.ai.example")
    assert not is_of_payman("mypayman.ai")


def test_the_error_names_the_setting() -> None:
    """Whoever is refused learns how to allow the host; for a server of Payman's, https is the only way."""
    with pytest.raises(ConfigurationError) as caught:
        PaymanClient(**CREDENTIALS, base_url=SANDBOX)
    assert str(caught.value) == (
        "base_url would send secrets over plain http to sandbox, which allow_http_hosts does not list. Use https, or allow plain http to "
        'this host of a private network: allow_http_hosts=["sandbox"], or PAYMAN_ALLOW_HTTP_HOSTS=sandbox in the environment.'
    )
    with pytest.raises(ConfigurationError) as caught:
        PaymanClient(**CREDENTIALS, base_url="http://agent.payman.ai")
    assert caught.value.next_step == "Use https."


def test_a_setting_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty list takes back what the environment allows."""
    monkeypatch.setenv(HOSTS, "sandbox")
    assert read_config(CREDENTIALS, {"base_url": SANDBOX}).base_url == SANDBOX
    with pytest.raises(ConfigurationError, match="plain http"):
        read_config(CREDENTIALS, {"base_url": SANDBOX, "allow_http_hosts": []})


def test_every_way_to_name_a_server_takes_the_setting() -> None:
    """All constructors, the options of a client, and the page for a person."""
    allowed: dict[str, Any] = {"base_url": SANDBOX, "allow_http_hosts": ("sandbox",)}
    token = {"accessToken": "t", "expiresIn": 3600}
    for kind in (PaymanClient, AsyncPaymanClient):
        for client in (
            kind(**CREDENTIALS, **allowed),
            kind({**CREDENTIALS, **allowed}),
            kind.with_credentials(**CREDENTIALS, **allowed),
            kind.from_env(**CREDENTIALS, **allowed),
            kind.with_token("pm-test-1", token, **allowed),
        ):
            assert repr(client).endswith(f"at {SANDBOX}>")
            assert repr(client.with_options(timeout=5)).endswith(f"at {SANDBOX}>")
    page = authorization_url(
        "pm-test-1", "https://shop.example/", ["read_balance"], server=SANDBOX, allow_http_hosts=["sandbox"]
    )
    assert page.url.startswith(f"{SANDBOX}/oauth/authorize?")
    with pytest.raises(ConfigurationError, match=r"^server would send.*PAYMAN_ALLOW_HTTP_HOSTS=sandbox"):
        authorization_url("pm-test-1", "https://shop.example/", ["read_balance"], server=SANDBOX)
    shown: list[str] = []

    def decline(url: str) -> bool:
        shown.append(url)
        return False

    with pytest.raises(ConfigurationError, match="No browser"):
        login(CREDENTIALS, scopes=["read_balance"], open_browser=decline, **allowed)
    assert shown[0].startswith(f"{SANDBOX}/oauth/authorize?")


MIXTURES: list[tuple[str, dict[str, str], dict[str, str], bool]] = [
    # what it is, the file, the environment, and whether credentials go to the sandbox
    ("all in the file", {URL: SANDBOX, ID: "i", KEY: "k", HOSTS: "sandbox"}, {}, True),
    ("all in the environment", {}, {URL: SANDBOX, ID: "i", KEY: "k", HOSTS: "sandbox"}, True),
    ("only the environment allows it", {URL: SANDBOX, ID: "i", KEY: "k"}, {HOSTS: "sandbox"}, True),
    ("the file allows what it does not name", {HOSTS: "sandbox"}, {URL: SANDBOX, ID: "i", KEY: "k"}, False),
    ("the file allows and names", {URL: SANDBOX, HOSTS: "sandbox"}, {ID: "i", KEY: "k"}, False),
    ("the file has a part", {URL: SANDBOX, ID: "i", HOSTS: "sandbox"}, {KEY: "k"}, False),
    ("another server", {ID: "i", KEY: "k", HOSTS: "sandbox"}, {URL: SANDBOX}, False),
    ("the environment wins", {URL: SANDBOX, ID: "i", KEY: "k", HOSTS: "sandbox"}, {HOSTS: "other"}, False),
    ("nobody allows it", {URL: SANDBOX, ID: "i", KEY: "k"}, {}, False),
    ("the file lists a pattern", {URL: SANDBOX, ID: "i", KEY: "k", HOSTS: "*"}, {}, False),
]


def test_what_a_file_allows_is_for_what_the_file_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.env` of others cannot have the caller's credentials sent in the clear, neither by a program nor by the command."""
    monkeypatch.chdir(tmp_path)

    def by_program() -> Any:
        return read_config(load_env_config({}, dotenv=True)[0], {})

    def by_command() -> Any:
        file = read_env_file()
        return read_config(resolve(environ=environ, env_file=file.values if file else None).to_config(), {})

    wrong = []
    for what, in_file, environ, is_sent in MIXTURES:
        (tmp_path / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in in_file.items()))
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            for decide in (by_program, by_command):
                try:
                    sent = decide().base_url == SANDBOX
                except ConfigurationError:
                    sent = False
                if sent is not is_sent:
                    wrong.append((what, decide.__name__))
    assert wrong == []


@pytest.fixture
def aliases(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Names for this machine."""
    known, real = set[object](), socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **keywords: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        return real("127.0.0.1" if name in known else host, *rest, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield known.add


def test_a_listed_host_gets_tokens_and_payments(
    aliases: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both clients pay at a sandbox under the name of a container, directly even where the environment names a proxy."""
    aliases("sandbox")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with Sandbox(allow_hosts=["sandbox"]) as sandbox:
        port = sandbox.base_url.rpartition(":")[2]
        monkeypatch.setenv(URL, f"http://sandbox:{port}")
        monkeypatch.setenv(HOSTS, f"sandbox:{port}")
        config: Any = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        with PaymanClient(config) as client:
            assert client.pay("Test Payee", "1.00", "TSD").outcome is PaymentOutcome.PAID

        async def pay() -> PaymentOutcome:
            async with AsyncPaymanClient(config) as other:
                return (await other.pay("Test Payee", "1.00", "TSD")).outcome

        assert anyio.run(pay) is PaymentOutcome.PAID
    sandbox.close()
