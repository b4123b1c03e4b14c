from __future__ import annotations

import base64
import copy
import gzip
import json
import os
import re
import socket
import stat
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import vcr  # type: ignore[import-untyped] # it has no types
import yaml
from hypothesis import given
from hypothesis import strategies as st

from payman_api import ACCESS_TOKEN_HEADER
from payman_sdk import AsyncPaymanClient, PaymanClient, PaymanConfig
from payman_sdk.errors import APIConnectionError, ConfigurationError
from payman_sdk.sandbox import HTTPError, Sandbox
from payman_sdk.testing._redaction.cassette import _TranslatedBody
from payman_sdk.testing.recording import Recorder, SecretLeakError, _dump_yaml
from tests.environments import AS_OTHERS
from tests.loops import LOOPS, run_on
from tests.testing.test_plugin import run_recording

PAY = "send 10 TSD to Test Payee"
BALANCE = "what's my TSD wallet balance?"
NOBODY: PaymanConfig = {
    "client_id": "pm-test-nobody",
    "client_secret": "secret-of-nobody",
    "base_url": "https://agent.payman.dev",
}


class Tapes:
    """Cassettes in a folder, as one session of tests would use them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "cassettes" / "one.yaml"
        self.recorder = Recorder()

    def use(self, mode: str = "none", **settings: Any) -> AbstractContextManager[Any]:
        # pytest-recording copies the settings, so they have to bear it.
        recording = vcr.VCR(record_mode=mode, **copy.deepcopy(self.recorder.config()), **settings)
        self.recorder.begin(recording)
        used: AbstractContextManager[Any] = recording.use_cassette(str(self.path))
        return used

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def has_none_of(self, *secrets: str) -> bool:
        return not any(secret in self.text for secret in secrets)


@pytest.fixture
def tapes(tmp_path: Path) -> Tapes:
    return Tapes(tmp_path)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, nothing connects to anything."""

    def refuse(*_: object) -> None:
        raise OSError("a socket was opened")

    def cut() -> None:
        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket.socket, "connect_ex", refuse)

    return cut


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rotate_refresh_tokens=True) as sandbox:
        yield sandbox


def settings(sandbox: Sandbox) -> PaymanConfig:
    return {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "base_url": sandbox.base_url,
    }


def talk(config: PaymanConfig) -> list[object]:
    """Two identical questions with a payment between them, and one that is streamed."""
    with PaymanClient.with_credentials(config) as client:
        said: list[object] = []
        sessions: set[object] = set()
        for text in (BALANCE, PAY, BALANCE):
            answer = client.ask(text)
            sessions.add(answer.session_id)
            said.append((answer.status, answer.artifacts))
        with client.stream(BALANCE) as stream:
            said += [getattr(event, "artifacts", None) for event in stream]
            sessions.add(stream.result().session_id)
        assert len(sessions) == 1
    return said


async def talk_async(config: PaymanConfig) -> list[object]:
    async with AsyncPaymanClient.with_credentials(config) as client:
        said: list[object] = []
        for text in (BALANCE, PAY, BALANCE):
            answer = await client.ask(text)
            said.append((answer.status, answer.artifacts))
        async with client.stream(BALANCE) as stream:
            said += [getattr(event, "artifacts", None) async for event in stream]
    return said


# Record, then play


@pytest.mark.parametrize("played", ["sync", *LOOPS])
@pytest.mark.parametrize("recorded", ["sync", "asyncio"])
def test_what_was_recorded_is_played_without_a_network(
    recorded: str, played: str, tapes: Tapes, sandbox: Sandbox, offline: Callable[[], None]
) -> None:
    """Whichever client recorded and whichever plays: new ids, another client id, another host, no socket; the same answers."""

    def said(kind: str, config: PaymanConfig) -> list[object]:
        return talk(config) if kind == "sync" else run_on(kind, talk_async, config)

    with tapes.use("once"):
        first = said(recorded, settings(sandbox))
    assert first[0] != first[2], "the balance changed"
    assert tapes.has_none_of(sandbox.client_secret, sandbox.client_id, str(sandbox.base_url[-5:]))
    sandbox.stop()
    offline()
    before = tapes.text
    with tapes.use() as cassette:
        assert said(played, NOBODY) == first
    assert cassette.all_played
    assert tapes.text == before


def test_the_guard_of_these_tests_guards(sandbox: Sandbox, offline: Callable[[], None]) -> None:
    """Without a cassette, an ask fails where sockets are refused."""
    offline()
    with pytest.raises(APIConnectionError), sandbox.client(max_retries=0) as client:
        client.ask(BALANCE)


def test_an_ask_whose_answer_was_lost(tapes: Tapes, sandbox: Sandbox, offline: Callable[[], None]) -> None:
    """The look-up that follows a 502 asks for the live task, and its recorded answer is about it."""

    def pay(config: PaymanConfig) -> Any:
        with PaymanClient.with_credentials(config) as client:
            return client.ask(PAY)

    sandbox.script([HTTPError(502, taken=True, body="<html>gateway</html>")])
    with tapes.use("once"):
        first = pay(settings(sandbox))
    offline()
    with tapes.use() as cassette:
        second = pay(NOBODY)
    assert (first.status, first.artifacts) == (second.status, second.artifacts)
    assert first.task_id != second.task_id
    assert (len(cassette), cassette.all_played) == (3, True)


def test_tokens_that_are_rotated(tapes: Tapes, sandbox: Sandbox, offline: Callable[[], None]) -> None:
    """Each refresh token is a placeholder of its own, and has to be used in the order of the recording."""
    issued = sandbox.issue_token()

    def renew(config: PaymanConfig, refresh_token: str, revoke: Callable[[], None]) -> list[str]:
        with PaymanClient.with_token(config, {"refreshToken": refresh_token}) as client:
            said = [client.ask(BALANCE).status]
            revoke()
            return [*said, client.ask(BALANCE).status]

    with tapes.use("once"):
        renew(settings(sandbox), str(issued["refreshToken"]), sandbox.revoke_tokens)
    assert re.findall(r"[?&]refresh_token=(\S+)", tapes.text) == [
        "SCRUBBED-refresh-token-1",
        "SCRUBBED-refresh-token-2",
    ]
    assert '"refreshToken":"SCRUBBED-refresh-token-3"' in tapes.text
    assert {*re.findall("SCRUBBED-access-token-.", tapes.text)} == {
        "SCRUBBED-access-token-1",
        "SCRUBBED-access-token-2",
    }
    offline()
    with tapes.use() as cassette:
        assert renew(NOBODY, "a-token-of-nobody", lambda: None) == ["completed", "completed"]
    assert cassette.all_played


def test_a_token_of_another_ask_is_another_request(tapes: Tapes, sandbox: Sandbox) -> None:
    """What the cassette gave out has to come back: the first ask does not go with the second token."""

    def ask(client: httpx.Client, base_url: str, token: str) -> httpx.Response:
        return client.post(f"{base_url}/ask", headers={ACCESS_TOKEN_HEADER: token}, json={})

    tokens = [str(sandbox.issue_token()["accessToken"]) for _ in range(2)]
    with tapes.use("once"), httpx.Client(trust_env=False) as client:
        for token in tokens:
            ask(client, sandbox.base_url, token)
    with tapes.use(), httpx.Client(trust_env=False) as client:
        with pytest.raises(Exception, match="recorded SCRUBBED-access-token-1, now SCRUBBED-access-token-3"):
            ask(client, "https://x", "SCRUBBED-access-token-3")
        assert ask(client, "https://x", "SCRUBBED-access-token-2").status_code == 404


@pytest.mark.slow
def test_asks_at_the_same_time(tapes: Tapes, sandbox: Sandbox, offline: Callable[[], None]) -> None:
    """Threads that share a client record and play in whatever order: each gets the answer to what it asked."""

    def pay_all(config: PaymanConfig) -> dict[int, str]:
        with PaymanClient.with_credentials(config) as client, ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda number: client.ask(f"send {number} TSD to Test Payee"), range(1, 13))
            return {number: str(answer.artifacts) for number, answer in enumerate(answers, 1)}

    with tapes.use("once"):
        first = pay_all(settings(sandbox))
    offline()
    with tapes.use() as cassette:
        second = pay_all(NOBODY)
    assert all(f"{number}.00 TSD" in said for number, said in second.items())
    assert first.keys() == second.keys()
    assert [first[number] == second[number] for number in first] == [True] * 12
    assert cassette.all_played


def test_nothing_of_a_run_is_played_in_it(tapes: Tapes) -> None:
    """A cassette that is added to records each new request, also the second of two that are alike."""

    def get(http: httpx.Client, path: str) -> Any:
        return http.get(f"https://pay.example/{path}").json()

    with tapes.use("once"), answering(0) as http:
        get(http, "a")
    with tapes.use("new_episodes"), answering(1, 2) as http:
        assert [get(http, path) for path in "bab"] == [1, 0, 2]
    with tapes.use(), answering() as http:
        assert [get(http, path) for path in "bab"] == [1, 0, 2]


# A miss


def miss(tapes: Tapes, *asks: Callable[[PaymanClient], object]) -> str:
    """What a test is told when the last of these asks is in no recording."""
    with tapes.use(), PaymanClient.with_credentials(NOBODY) as client:
        for ask in asks[:-1]:
            ask(client)
        with pytest.raises(Exception, match="Can't play back this request") as caught:
            asks[-1](client)
    return str(caught.value).partition("How to fix")[0]


@pytest.fixture
def recorded(tapes: Tapes, sandbox: Sandbox) -> Tapes:
    with tapes.use("once"), sandbox.client() as client:
        client.ask("list all wallets")
        client.ask(PAY)
    return tapes


def test_a_changed_text_is_named(recorded: Tapes) -> None:
    """The nearest recording alone is named, with the member that differs, and no secret."""
    reported = miss(recorded, lambda client: client.ask("send 20 TSD to Test Payee"))
    assert f'params.message.parts[0].text: recorded "{PAY}", now "send 20 TSD to Test Payee"' in reported
    assert reported.count("differs") == 1
    assert "list all wallets" not in reported
    assert "nobody" not in reported


def test_an_additional_member_is_named(recorded: Tapes) -> None:
    """What was not recorded is said to be absent there."""
    reported = miss(recorded, lambda client: client.ask(PAY, metadata={"invoice": 42}))
    assert 'params.metadata: recorded absent, now {"invoice": 42}' in reported


def test_a_changed_path_is_named(recorded: Tapes) -> None:
    """Another endpoint is another request, whatever is in it."""
    reported = miss(recorded, lambda client: client.stream(PAY).result())
    assert 'path: recorded "/api/a2a/tasks/send", now "/api/a2a/tasks/sendSubscribe"' in reported
    assert 'method: recorded "tasks/send", now "tasks/sendSubscribe"' in reported


def test_an_exhausted_cassette_is_named(recorded: Tapes) -> None:
    """A recording is played once; one ask more is told that it was."""
    reported = miss(recorded, lambda client: client.ask(PAY), lambda client: client.ask(PAY))
    assert "it was played before, for another request" in reported
    assert re.search(r"params.id: recorded tsk-\S+ \(played as tsk-\S+\), now tsk-", reported)
    assert "list all wallets" not in reported


@pytest.mark.parametrize("name", LOOPS)
def test_a_missing_token_request_is_named(recorded: Tapes, name: str) -> None:
    """The author of the test reads what vcrpy says of it, and no secret: its address holds some."""
    cassette = yaml.safe_load(recorded.text)
    cassette["interactions"] = [it for it in cassette["interactions"] if "oauth2" not in it["request"]["uri"]]
    recorded.path.write_text(yaml.safe_dump(cassette), encoding="utf-8")
    reported = miss(recorded, lambda client: client.ask(PAY))
    assert 'path: recorded "/api/a2a/tasks/send", now "/api/oauth2/token"' in reported

    async def refresh() -> None:
        async with AsyncPaymanClient.with_token(NOBODY, {"refreshToken": "hunted-refresh-token"}) as client:
            await client.ask(PAY)

    with recorded.use(), pytest.raises(Exception, match="Can't play back this request") as caught:
        run_on(name, refresh)
    assert "/api/oauth2/token" in str(caught.value)
    assert "spent" not in str(caught.value)  # for nothing was sent
    assert "hunted" not in f"{caught.getrepr(style='native')}{caught.value!r}"


# Saving


def test_a_cassette_says_what_it_is(recorded: Tapes, sandbox: Sandbox) -> None:
    """At its top, in words; bodies of one line stay one line, and streams are lines."""
    assert recorded.text.startswith(
        "# Recorded against the sandbox. Tokens, the client's id and its secrets are"
    )
    bodies = [line for line in recorded.text.splitlines() if "jsonrpc" in line]
    assert len(bodies) == 4
    assert all(line.endswith("}'") for line in bodies)
    with recorded.use("new_episodes"), sandbox.client() as client:
        client.stream(BALANCE).result()
    assert re.search(r"string: \|\+?\n        id: 1\n        data: \{\"jsonrpc\"", recorded.text)
    assert [*recorded.path.parent.iterdir()] == [recorded.path]
    assert stat.S_IMODE(recorded.path.stat().st_mode) & 0o044


def test_the_head_names_the_hosts(tapes: Tapes) -> None:
    """Another server than the sandbox is named, or what it is given as."""
    for recorder, said in ((Recorder(), "pay.example"), (Recorder(recorded_against="Payman's TEST"), "Payman's TEST")):  # fmt: skip
        tapes.recorder = recorder
        tapes.path.unlink(missing_ok=True)
        with tapes.use("once"), answering({"ok": True}) as http:
            http.get("https://pay.example/x")
        assert tapes.text.startswith(f"# Recorded against {said}. ")


def answering(*bodies: Any, **headers: str) -> httpx.Client:
    """A client that vcrpy records and whose answers are given."""
    left = iter(bodies)
    return httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=next(left), headers=headers))
    )


def test_a_leak_is_not_saved(tapes: Tapes) -> None:
    """A secret that appeared before anybody knew it: saving fails, says where, and the old file stays."""
    with tapes.use("once"), answering({"ok": True}) as http:
        http.get("https://pay.example/x")
    old = tapes.text
    with (
        pytest.raises(SecretLeakError) as caught,
        tapes.use("all"),
        answering({"note": "it is hunted-secret"}, {"clientSecret": "hunted-secret"}) as http,
    ):
        http.get("https://pay.example/a")
        http.get("https://pay.example/b")
    assert tapes.text == old
    assert [*tapes.path.parent.iterdir()] == [tapes.path]
    assert "hunted-secret" not in str(caught.value) + repr(caught.value)
    assert re.search(r"one\.yaml was not saved.*line \d+: a client secret, elsewhere SCRUBBED", str(caught.value), re.DOTALL)  # fmt: skip
    assert "that one is gone" in str(caught.value)


def test_a_leak_in_a_body_as_it_is_read_is_not_saved(tapes: Tapes) -> None:
    """A secret that is seen only where the body is parsed: saving fails, and says in which answer."""
    with (
        pytest.raises(SecretLeakError, match="answer 2: a member named password") as caught,
        tapes.use("all"),
        answering({"ok": True}, {"password": 471147}) as http,
    ):
        http.get("https://pay.example/a")
        http.get("https://pay.example/b")
    assert not tapes.path.exists()
    assert "471147" not in str(caught.value)


def test_what_the_environment_holds_is_scrubbed(tapes: Tapes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret of the environment is known before anything was said."""
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "environment-secret")
    tapes.recorder = Recorder(known=[("api-key", "a-key-of-mine")])
    with tapes.use("once"), answering({"note": "environment-secret and a-key-of-mine"}) as http:
        assert http.get("https://pay.example/x").json() == {"note": "environment-secret and a-key-of-mine"}
    assert '{"note":"SCRUBBED-client-secret-1 and SCRUBBED-api-key-1"}' in tapes.text


def test_known_refuses_what_is_not_a_list_of_secrets() -> None:
    """`known` takes pairs of a kind and a value. Everything else is refused, and the error repeats no value."""
    secret = "hunter2-hunter2"
    unusable: list[Any] = [
        None,
        5,
        secret,
        {"api-key": secret},
        [secret],
        ["ab"],
        [("api-key",)],
        [("api-key", 5)],
    ]
    unusable += [
        [("api-key", secret, "x")],
        [("API_KEY", secret)],
        [(5, secret)],
        [None],
        [{"api-key": secret}],
    ]
    for known in unusable:
        with pytest.raises(ConfigurationError, match=r"^known holds .*api-key") as caught:
            Recorder(known=known)
        assert "hunter2" not in str(caught.value)
    usable: list[Any] = [[], (), [["api-key", secret]], {("api-key", secret)}, iter([("key", secret)])]
    for known in usable:
        Recorder(known=known)


def test_cassettes_with_other_settings_stay_as_they_are(tapes: Tapes, tmp_path: Path) -> None:
    """A recorder that was begun for a cassette which uses none of its settings changes nothing in it."""
    files = tmp_path / "mine.yaml", tmp_path / "plain.yaml"
    for path, begins in zip(files, (True, False), strict=True):
        recording = vcr.VCR(record_mode="once")
        if begins:
            tapes.recorder.begin(recording)
        with (
            recording.use_cassette(str(path)),
            answering({"accessToken": "a-token-of-mine"}, date="1") as http,
        ):
            http.get("http://127.0.0.1:1234/x?code=1")
    assert files[0].read_text() == files[1].read_text()
    assert "a-token-of-mine" in files[0].read_text()


def test_json_cassettes_hold_no_secret_either(tapes: Tapes, sandbox: Sandbox) -> None:
    """Another serializer of vcrpy is looked through as well, and gets no comment that it could not read."""
    with tapes.use("once", serializer="json"):
        first = talk(settings(sandbox))
    assert tapes.has_none_of(sandbox.client_secret, sandbox.client_id)
    assert json.loads(tapes.text)["version"] == 1
    with tapes.use(serializer="json"):
        assert talk(NOBODY) == first


def test_a_cassette_of_an_old_vcrpy_is_played(tapes: Tapes) -> None:
    """Answers that vcrpy once wrote in another shape are no trouble."""
    tapes.path.parent.mkdir()
    tapes.path.write_text(
        json.dumps(
            {
                "version": 1,
                "interactions": [
                    {
                        "request": {"method": "GET", "uri": "https://x.test/a", "body": "", "headers": {}},
                        "response": {
                            "status_code": 200,
                            "http_version": "HTTP/1.1",
                            "headers": {},
                            "content": "old",
                        },
                    }
                ],
            }
        )
    )
    with tapes.use():
        assert httpx.get("https://x.test/a", trust_env=False).text == "old"


@pytest.fixture
def compressing() -> Iterator[str]:
    """A server that compresses, or says so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = gzip.compress(b'{"accessToken":"compressed-token"}')
            self.send_response(200)
            self.send_header("Content-Encoding", self.path[1:])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the name it has
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_compressed_answer_is_looked_into(tapes: Tapes, compressing: str) -> None:
    """Compression hides no secret: the cassette holds the text, and the client that recorded saw the same."""
    with tapes.use("once"):
        assert httpx.get(f"{compressing}/gzip", trust_env=False).json() == {"accessToken": "compressed-token"}
    assert "SCRUBBED-access-token-1" in tapes.text
    with tapes.use():
        assert httpx.get("https://x.test/gzip", trust_env=False).json() == {
            "accessToken": "SCRUBBED-access-token-1"
        }


def test_an_answer_that_cannot_be_read_is_not_saved(tapes: Tapes, compressing: str) -> None:
    """What nobody can look through is refused, for nobody knows what is in it."""
    with pytest.raises(SecretLeakError, match="answer 1: its body is compressed with"), tapes.use("once"):
        httpx.get(f"{compressing}/unheard-of", trust_env=False)
    assert not tapes.path.exists()


def test_a_request_is_looked_into_as_an_answer_is(tapes: Tapes) -> None:
    """Its address, its headers and its body, whatever they are packed in; what cannot be unpacked is refused."""
    secret = b'{"password": "hunted-secret"}'
    packed = base64.b64encode(secret).decode()
    asks: list[tuple[str, dict[str, Any]]] = [
        ("its body is compressed with br", {"content": b"?", "headers": {"content-encoding": "br"}}),
        (
            "a member named password",
            {"content": gzip.compress(secret), "headers": {"content-encoding": "gzip"}},
        ),
        ("a member named password", {"params": {"state": packed}}),
        ("a member named password", {"headers": {"last-event-id": packed}}),
    ]
    for said, request in asks:
        with (
            pytest.raises(SecretLeakError, match=f"request 1: {said}"),
            tapes.use("once"),
            answering({}) as http,
        ):
            http.post("https://pay.example/x", **request)
        assert not tapes.path.exists(), said
    with tapes.use("once"), answering({}) as http:
        http.post("https://pay.example/x", content=gzip.compress(b"{}"), headers={"content-encoding": "gzip"})
    assert tapes.path.exists()


def test_answers_are_read_in_either_way() -> None:
    """Who reads a body with `get`, as older versions of vcrpy do, sees the live ids as well."""
    body = _TranslatedBody({"string": b"recorded"}, lambda body: b"live" if body == b"recorded" else body)
    assert (body["string"], body.get("string"), body.get("else", 1)) == (b"live", b"live", 1)
    assert dict(body) == {"string": b"recorded"}


@pytest.mark.slow
@given(st.recursive(st.text() | st.binary(max_size=8), lambda inner: st.lists(inner, max_size=3)))
def test_what_is_written_is_what_is_read(value: Any) -> None:
    """Any text, of one line or several, comes back from the YAML as it was."""
    written = _dump_yaml({"body": value})
    assert yaml.safe_load(written) == {"body": value}


def test_a_failed_save_unpatches_httpx(tapes: Tapes) -> None:
    """After a leak was refused, the next program talks to the network again, not to the cassette."""
    before = httpx.HTTPTransport.handle_request
    try:
        with tapes.use("once"), answering({"note": "it is hunted-secret"}, {"clientSecret": "hunted-secret"}) as http:  # fmt: skip
            http.get("https://pay.example/a")
            http.get("https://pay.example/b")
    except SecretLeakError:
        assert httpx.HTTPTransport.handle_request is before
    else:
        pytest.fail("the leak was saved")


# In pytest


PROJECT = {
    "conftest.py": """
        import pytest

        @pytest.fixture(scope="module")
        def vcr_config(payman_vcr_config):
            return payman_vcr_config
        """,
    "test_agent.py": """
        import pytest
        from payman_sdk import PaymanClient

        @pytest.mark.vcr
        def test_paying():
            with PaymanClient.from_env() as client:
                assert client.ask("send 10 TSD to Test Payee").status == "completed"
                with client.stream("list all wallets") as stream:
                    assert "990" in stream.result().artifacts[0]["content"]

        @pytest.mark.vcr
        def test_looking():
            with PaymanClient.from_env() as client:
                assert client.ask("list all wallets").status == "completed"
        """,
    "test_other.py": """
        import httpx
        import pytest

        @pytest.fixture(scope="module")
        def vcr_config():
            return {}

        @pytest.mark.vcr
        def test_other():
            transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"accessToken": "kept-as-it-is"}))
            with httpx.Client(transport=transport) as client:
                client.get("http://127.0.0.1:12/x")
        """,
}


def pytest_in(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    done = run_recording(
        [sys.executable, "-m", "pytest", "-q", *AS_OTHERS, *arguments],
        cwd=folder,
        env={**{n: v for n, v in os.environ.items() if not n.startswith("PYTEST")}, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return str(done.stdout + done.stderr)


@pytest.mark.slow
def test_a_project_records_and_plays(tmp_path: Path, sandbox: Sandbox) -> None:
    """With two lines in conftest.py: recorded against a sandbox, played where the network is blocked and nobody is known."""
    for name, content in PROJECT.items():
        (tmp_path / name).write_text(textwrap.dedent(content))
    live = {
        "PAYMAN_BASE_URL": sandbox.base_url,
        "PAYMAN_CLIENT_ID": sandbox.client_id,
        "PAYMAN_CLIENT_SECRET": sandbox.client_secret,
    }
    assert "3 passed" in pytest_in(tmp_path, live, "--record-mode=rewrite")
    sandbox.stop()
    cassettes = {path.stem: path.read_text() for path in (tmp_path / "cassettes").rglob("*.yaml")}
    assert sorted(cassettes) == ["test_looking", "test_other", "test_paying"]
    assert not any(sandbox.client_secret in text or sandbox.client_id in text for text in cassettes.values())
    assert "kept-as-it-is" in cassettes["test_other"] and cassettes["test_paying"].startswith("# Recorded against the sandbox")  # fmt: skip
    nobody = {
        "PAYMAN_BASE_URL": "",
        "PAYMAN_CLIENT_ID": "pm-test-nobody",
        "PAYMAN_CLIENT_SECRET": "of-nobody",
    }
    assert "3 passed" in pytest_in(tmp_path, nobody, "--block-network")
