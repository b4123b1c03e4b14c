"""Servers that a file names, and the credentials that they must not get."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx
import pytest

from payman_api import SERVERS
from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._cli.clients import resolve_settings
from payman_sdk._cli.login_store import Login, save_login
from payman_sdk._cli.run import Run
from payman_sdk._cli.settings import resolve
from payman_sdk._client.environment import load_env_config, read_env_file
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError, PaymanError
from tests import programs
from tests.cli.command import PROGRAM, Payman, environment_of
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Answer, Peer, Request, answer, completed, token

pytestmark = pytest.mark.slow


HOSTILE = "https://hostile.example"
OWN = "https://payman.staging.example"
ID, KEY = "PAYMAN_CLIENT_ID", "PAYMAN_CLIENT_SECRET"
URL, ENVIRONMENT = "PAYMAN_BASE_URL", "PAYMAN_ENVIRONMENT"
MINE = {ID: "my-id", KEY: "my-secret"}
THEIRS = {ID: "their-id", KEY: "their-secret"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, and a home folder without a login."""
    (tmp_path / "repository" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "repository"


class Sent(NamedTuple):
    """Where credentials go."""

    server: str
    client_id: str
    secret: str


def write(folder: Path, values: Mapping[str, str]) -> None:
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()), "utf-8")


def _plain(value: object) -> str:
    return value.reveal() if isinstance(value, SecretStr) else str(value)


def by_program() -> Sent:
    """What `from_env(dotenv=True)` makes of the environment and the file."""
    known = load_env_config({}, dotenv=True)[0]
    server = known.get("base_url") or SERVERS[(known.get("environment") or "LIVE").upper()]
    return Sent(server, str(known.get("client_id")), _plain(known.get("client_secret")))


def by_command() -> Sent:
    """What the command makes of them."""
    known = resolve_settings(Run()).to_config()
    return Sent(str(known.get("base_url")), str(known.get("client_id")), _plain(known.get("client_secret")))


TO_LIVE, TO_TEST = Sent(SERVERS["LIVE"], *MINE.values()), Sent(SERVERS["TEST"], *MINE.values())
MIXTURES: list[tuple[str, dict[str, str], dict[str, str], Sent | None]] = [
    # what it is, the file, the environment, and where credentials go; None refuses
    ("server in the file, credentials elsewhere", {URL: HOSTILE}, MINE, None),
    ("server and id in the file", {URL: HOSTILE, ID: "their-id"}, {KEY: "my-secret"}, None),
    ("server and secret in the file", {URL: HOSTILE, KEY: "their-secret"}, {ID: "my-id"}, None),
    ("a whole file, and credentials", {URL: HOSTILE, **THEIRS}, MINE, None),
    ("a whole file, and a secret", {URL: HOSTILE, **THEIRS}, {KEY: "my-secret"}, None),
    ("a whole file, and an id", {URL: HOSTILE, **THEIRS}, {ID: "my-id"}, None),
    ("a whole file alone", {URL: HOSTILE, **THEIRS}, {}, Sent(HOSTILE, *THEIRS.values())),
    (
        "a whole file, blank variables",
        {URL: HOSTILE, **THEIRS},
        {ID: " ", KEY: ""},
        Sent(HOSTILE, *THEIRS.values()),
    ),
    ("LIVE wins over the file", {URL: HOSTILE}, {**MINE, ENVIRONMENT: "LIVE"}, TO_LIVE),
    ("LIVE in lower case, too", {URL: HOSTILE}, {**MINE, ENVIRONMENT: "live"}, TO_LIVE),
    ("TEST wins over a whole file", {URL: HOSTILE, **THEIRS}, {**MINE, ENVIRONMENT: "TEST"}, TO_TEST),
    ("another server wins over the file", {URL: HOSTILE}, {**MINE, URL: OWN}, Sent(OWN, *MINE.values())),
    ("another server, the file's credentials", THEIRS, {URL: OWN}, None),
    ("another server, the file's secret", {KEY: "their-secret"}, {URL: OWN, ID: "my-id"}, None),
    ("a server of this machine, the file's credentials", THEIRS, {URL: "http://127.0.0.1:9"}, None),
    ("a server of this machine in the file", {URL: "http://127.0.0.1:9"}, MINE, None),
    ("the file's TEST", {ENVIRONMENT: "TEST"}, MINE, TO_TEST),
    ("the file's TEST by its address", {URL: SERVERS["TEST"]}, MINE, TO_TEST),
    ("the file's credentials for LIVE", THEIRS, {}, Sent(SERVERS["LIVE"], *THEIRS.values())),
    (
        "the file's secret for TEST",
        {KEY: "s"},
        {ID: "my-id", ENVIRONMENT: "TEST"},
        Sent(SERVERS["TEST"], "my-id", "s"),
    ),
    ("both names in the file", {URL: HOSTILE, ENVIRONMENT: "LIVE"}, MINE, None),
    ("a name in lower case is none", {"payman_base_url": HOSTILE}, MINE, TO_LIVE),
]


def test_credentials_meet_only_the_server_of_their_source(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs and the command agree about every mixture of a file and the environment."""
    wrong = []
    for what, in_file, in_environment, expected in MIXTURES:
        write(folder, in_file)
        with monkeypatch.context() as patch:
            for name, value in in_environment.items():
                patch.setenv(name, value)
            for decide in (by_program, by_command):
                try:
                    sent: Sent | None = decide()
                except ConfigurationError as error:
                    assert "my-secret" not in str(error) and "their-secret" not in str(error)
                    sent = None
                if sent != expected:
                    wrong.append((what, decide.__name__, sent))
    assert wrong == []


LOOKALIKES = [
    "https://agent.payman.ai.hostile.example",
    "https://agent.payman.ai.",
    "https://agent.payman.ai:8443",
    "https://agent.payman.ai/hostile",
    "https://agent.payman.ai@hostile.example",
    "https://agent.payman.ai%40hostile.example",
    "https://agent.payman.ai\\@hostile.example",
    "https://agent-payman.ai",
    "https://agent.payman.ai\u2024hostile.example",
    "https://\u0430gent.payman.ai",
    "https://agent\u3002payman.ai.hostile.example",
    "https://hostile.example/agent.payman.ai",
    "https://hostile.example?https://agent.payman.ai",
    "https://hostile.example#https://agent.payman.ai",
    "https://payman.ai",
    "http://agent.payman.ai",
    "//agent.payman.ai",
    "agent.payman.ai",
    "http://[::ffff:127.0.0.1]",
    "ftp://agent.payman.ai",
]


def test_what_looks_like_payman_is_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's address that is not exactly one of Payman's gets no credentials of the environment, however it is spelled."""
    for name, value in MINE.items():
        monkeypatch.setenv(name, value)
    got = []
    for url in LOOKALIKES:
        write(folder, {URL: f"'{url}'"})
        for decide in (lambda: PaymanClient.from_env(dotenv=True), by_command):
            try:
                got.append((url, decide()))
            except ConfigurationError:
                continue
    assert got == []


EXPANSIONS = [
    "${AWS_SECRET_ACCESS_KEY}",
    "$AWS_SECRET_ACCESS_KEY",
    "${AWS_SECRET_ACCESS_KEY:-none}",
    "${MISSING:-${AWS_SECRET_ACCESS_KEY}}",
    "x${AWS_SECRET_ACCESS_KEY}y",
    '"${AWS_SECRET_ACCESS_KEY}"',
    "'${AWS_SECRET_ACCESS_KEY}'",
    "`echo $AWS_SECRET_ACCESS_KEY`",
    "$(cat ~/.aws/credentials)",
    "%AWS_SECRET_ACCESS_KEY%",
    "{AWS_SECRET_ACCESS_KEY}",
    "${PAYMAN_CLIENT_SECRET}",
    "~/.aws/credentials",
    "\\${AWS_SECRET_ACCESS_KEY}",
]


def test_a_file_reads_no_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a file holds is expanded, in any member, by any syntax of a shell."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalr")
    monkeypatch.setenv("HOME", "/home/of-somebody")
    leaked = []
    for text in EXPANSIONS:
        for name in (ID, KEY):
            write(folder, {URL: HOSTILE, **THEIRS, name: text})
            for decide in (by_program, by_command):
                try:
                    sent = decide()
                except ConfigurationError as error:
                    assert (name, ":" in text) == (ID, True)  # an id cannot hold a colon
                    assert "wJalr" not in str(error)
                    assert "somebody" not in str(error)
                    continue
                if any(
                    "wJalr" in part or "somebody" in part or "their-secret" in sent.client_id for part in sent
                ):
                    leaked.append((name, text, sent))
    assert leaked == []


def test_the_file_is_the_one_in_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Folders above are not searched, and nobody reads what is not a file of text."""
    write(folder, THEIRS)
    monkeypatch.chdir(folder / "deep")
    assert read_env_file() is None
    place = folder / "deep" / ".env"
    makers: dict[str, Callable[[], object]] = {
        "a folder": place.mkdir,
        "a pipe": lambda: os.mkfifo(place),
        "a link to nothing": lambda: place.symlink_to(tmp_path / "nothing"),
        "a link to itself": lambda: place.symlink_to(place),
        "a device": lambda: place.symlink_to("/dev/zero"),
    }
    for what, make in makers.items():
        make()
        assert read_env_file() is None, what
        place.rmdir() if place.is_dir() else place.unlink()
    for what, content in {
        "huge": b"A=1\n" * 500_000,
        "no text": b"PAYMAN_CLIENT_ID=\xff",
        "UTF-16": "A=1".encode("utf-16"),
    }.items():
        place.write_bytes(content)
        file = read_env_file()
        assert file is not None and file.problem and not file.values, what
    for name in (".env.local", ".envrc", "payman.env", ".ENV"):
        (folder / "deep" / name).write_text(f"{ID}=x\n")
    place.unlink()
    assert read_env_file() is None or (folder / "deep" / ".ENV").samefile(place)


def test_spellings_of_a_file(folder: Path) -> None:
    """What python-dotenv understands is understood; names of other programs are left out."""
    table = {
        f"export {ID}=a\n": {ID: "a"},
        f"{ID}='a b'\n": {ID: "a b"},
        f"\ufeff{ID}=a\r\n{KEY}=s3cret\r\n": {ID: "a", KEY: "s3cret"},
        f"{ID}=a\n{ID}=b\n": {ID: "b"},
        f"{ID}=\n{KEY}='  '\n{URL}\n": {},
        f"{ID} = a # a comment\n": {ID: "a"},
        "HTTPS_PROXY=http://hostile.example\nSSL_CERT_FILE=x\nHOME=/x\nPATH=/x\nPYTHONPATH=/x\n": {},
        "": {},
        "=\n%%%\n\x00\n": {},
    }
    before = dict(os.environ)
    for text, values in table.items():
        (folder / ".env").write_text(text, "utf-8", newline="")
        file = read_env_file()
        assert file is not None
        assert dict(file.values) == values, text
        assert "s3cret" not in repr(file)
    assert dict(os.environ) == before


def test_broken_lines_of_a_file(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A setting that cannot be read is refused by its name; broken lines of other programs do not matter, and nothing is printed."""
    table: dict[str, Sequence[str]] = {
        f"{ID}: a\n{KEY}=b\n": [ID],
        f"{ID}: a\n{KEY}: b\n{ID}: c\n": [ID, KEY],
        f'{ID}="a\n{KEY}=b\n': [ID],
        f"{ID}=a\n{KEY}=b\n  export {URL} http://127.0.0.1:9\n": [URL],
        f"{ID}=a\n{KEY}=b\n{URL}: {HOSTILE}\nOTHER: x\n": [URL],
        f"OTHER: x\n{ID}=a\n{KEY}=b\n": [],
        f"{ID}: c\n{ID}=a\n{KEY}=b\n": [],
        f"{ID}=a\n{KEY}=b\nNOTE='\n{URL} is not set\n'\n": [],
    }
    log = logging.getLogger("dotenv.main")
    before = list(log.filters)
    for text, broken in table.items():
        (folder / ".env").write_text(text, "utf-8")
        for decide in (by_program, by_command):
            if not broken:
                assert decide().client_id == "a", text
                continue
            with pytest.raises(ConfigurationError) as caught:
                decide()
            assert f"{' and '.join(broken)} in it cannot be read: write NAME=value." in str(caught.value), (
                text
            )
    assert capfd.readouterr() == ("", "")
    assert log.filters == before


def test_a_login_keeps_its_server_and_gets_no_secret_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of the environment goes to a login's server only where the environment names that server, or it is Payman's."""
    login = Login(client_id="my-id", base_url=OWN)
    secret = {KEY: "my-secret"}
    table: list[tuple[str, dict[str, Any], str | None]] = [
        ("only the login names the server", {"environ": secret}, ""),
        ("the environment names it, too", {"environ": {**secret, URL: OWN}}, "my-secret"),
        ("a flag names it, too", {"environ": secret, "base_url": OWN}, "my-secret"),
        ("a file names it, too", {"environ": secret, "env_file": {URL: OWN}}, None),
        ("the file's secret", {"environ": {}, "env_file": secret}, ""),
        ("the file's secret, the environment's server", {"environ": {URL: OWN}, "env_file": secret}, None),
        ("the file's server and secret", {"environ": {}, "env_file": {**secret, URL: OWN}}, "my-secret"),
        ("the file's server alone", {"environ": {}, "env_file": {URL: OWN}}, ""),
    ]
    wrong = []
    for what, given, expected in table:
        try:
            settings = resolve(**given, login=login)
        except ConfigurationError:
            sent = None
        else:
            assert settings.login is login, what
            sent = settings.client_secret.value if settings.client_secret else ""
        if sent != expected:
            wrong.append((what, sent))
    assert wrong == []
    payman = resolve(environ=secret, login=Login(client_id="my-id", base_url=SERVERS["TEST"]))
    assert payman.to_config()["client_secret"] == "my-secret"
    assert "is not sent to https://payman.staging.example" in resolve(environ=secret, login=login).notes[0]


def test_what_is_said_before_credentials_are_sent() -> None:
    """The server and who named it, unless it is Payman's or on this machine by the wish of whoever runs the command."""
    here = "http://127.0.0.1:9"
    table: list[tuple[dict[str, Any], bool]] = [
        ({"environ": MINE}, False),
        ({"environ": MINE, "env": "TEST"}, False),
        ({"environ": {**MINE, URL: OWN}}, True),
        ({"environ": MINE, "base_url": OWN}, True),
        ({"environ": {**MINE, URL: here}}, False),
        ({"environ": MINE, "base_url": here}, False),
        ({"environ": {}, "env_file": {**THEIRS, URL: here}}, True),
        ({"environ": {}, "env_file": {**THEIRS, URL: HOSTILE}}, True),
        ({"environ": {}, "env_file": {**THEIRS, ENVIRONMENT: "TEST"}}, False),
        ({"environ": {}, "env": "SANDBOX"}, False),
        ({"environ": {}, "login": Login(client_id="a", base_url=OWN)}, True),
        ({"environ": {**MINE, URL: "https://\u0430gent.payman.ai"}}, True),
    ]
    for given, is_said in table:
        settings = resolve(**given)
        assert bool(settings.notice) is is_said, given
        if is_said:
            assert settings.base_url.source in settings.notice
    assert "https://\\u0430gent.payman.ai" in settings.notice


def listed(peer: Peer) -> list[str]:
    return [f"{request.method} {request.target.partition('?')[0]}" for request in peer.requests]


def run(folder: Path, *arguments: str, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a folder, the way to all other machines being closed by a proxy that is none."""
    ways = {"HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    done: subprocess.CompletedProcess[str] = programs.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        env=environment_of(**{**ways, **variables}),
        timeout=60,
        check=False,
    )
    return done


def test_a_cloned_repository_gets_nothing(folder: Path, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command that sends something, in a folder with a hostile `.env`, and the environment's credentials."""
    write(folder, {URL: peer.base_url})
    for name, value in MINE.items():
        monkeypatch.setenv(name, value)
    for arguments in (
        ["ask", "hello"],
        ["doctor"],
        ["token"],
        ["login", "--no-browser", "--wait", "0.1"],
        ["tasks", "get", "tsk-1"],
        ["tasks", "cancel", "tsk-1"],
        ["chat"],
        ["mcp", "--dotenv", "--store", ":memory:"],
        ["--env", "TEST", "--base-url", peer.base_url, "ask", "hello"],
    ):
        said = Payman()(*arguments)
        assert said.status != 0, arguments
        assert "my-secret" not in said.out + said.err
    assert listed(peer) == []


def test_an_editor_that_starts_the_server_of_mcp_in_a_cloned_repository(
    folder: Path, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`payman mcp` reads no file of the folder, so nothing goes anywhere, with credentials of the environment and without."""
    proxy = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), peer.base_url)
    hello = (
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},'
        '"clientInfo":{"name":"editor","version":"1"}}}\n'
    )
    for in_file, variables in (
        ({URL: peer.base_url, **THEIRS}, {}),
        ({URL: peer.base_url, ENVIRONMENT: "SANDBOX"}, MINE),
    ):
        write(folder, in_file)
        with monkeypatch.context() as patch:
            for name, value in {**variables, **proxy}.items():
                patch.setenv(name, value)
            said = Payman()("mcp", "--store", ":memory:", given=hello)
        assert "payman mcp does not read the file .env" in said.err
    assert [line for line in listed(peer) if not line.startswith("CONNECT agent.payman.ai")] == []


REDIRECTS = [301, 302, 303, 307, 308, 300, 305, 201]


def test_a_redirect_takes_no_credentials_along(peer: Peer) -> None:
    """Whatever status names another server, and whoever's client it is, nothing follows it there."""

    def to(status: int, other: Peer) -> Answer:
        def write(request: Request) -> Any:
            location = other.base_url + request.target
            yield from answer(
                status, location=location, refresh=f"0; url={location}", link=f"<{location}>; rel=alternate"
            )(request)

        return write

    async def ask(settings: Any) -> None:
        async with AsyncPaymanClient(**settings) as client:
            await client.ask("hello")

    with Peer() as hostile, httpx.Client(follow_redirects=True) as follower:
        for status in REDIRECTS:
            for path in (TOKEN_PATH, ASK_PATH, GET_PATH):
                peer.always(path, to(status, hostile))
                settings: Any = {
                    "client_id": "my-id",
                    "client_secret": f"secret-{status}",  # so that no client has the token of another
                    "base_url": peer.base_url,
                    "max_retries": 0,
                    "timeout": 1,
                    "settle_time": 0.01,
                }
                with contextlib.suppress(PaymanError):
                    anyio.run(ask, settings)
                for given in (None, follower):
                    with PaymanClient(**settings, http_client=given) as client:
                        with contextlib.suppress(PaymanError):
                            client.ask("hello")
                        with contextlib.suppress(PaymanError):
                            client.get_task("tsk-1")
                peer.always(path, token() if path == TOKEN_PATH else completed)
        assert hostile.requests == []
        assert {request.path for request in peer.requests} >= {TOKEN_PATH, ASK_PATH, GET_PATH}


def test_a_login_that_is_remembered_at_a_hostile_server_gets_no_secret(folder: Path, peer: Peer) -> None:
    """A server that a login once named gets no secret when its token has to be renewed."""
    from payman_sdk._cli.login_store import open_store
    from payman_sdk._core.auth.stored_token import StoredToken

    login = Login(client_id="my-id", base_url=peer.base_url)
    peer.always("/web/identity", answer(404))
    open_store("file").save(
        StoredToken(
            issued_to=f"my-id for a person at {peer.base_url}",
            access_token="a",
            expires_at=0,
            lifetime=1,
            refresh_token="r",
        )
    )
    save_login(login)
    ran = run(folder, "ask", "hello", "--yes", **{KEY: "my-secret"})
    assert ran.returncode in {0, 6}
    sent = [
        request.headers.get("authorization", "") + request.target + request.body.decode()
        for request in peer.token_requests()
    ]
    assert sent
    assert not any("my-secret" in text or "bXktaWQ6bXktc2VjcmV0" in text for text in sent)
