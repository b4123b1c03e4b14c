"""What people do to a client that nobody had in mind: wrong input, forks, interrupts, hooks, servers that repeat secrets."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from payman_sdk import (
    AsyncPaymanClient,
    FileTokenStore,
    MemoryTokenStore,
    PaymanClient,
    PaymanError,
    RedisTokenStore,
    Scope,
    authorization_url,
    login,
    parse_redirect,
)
from payman_sdk._io import loopback
from payman_sdk.errors import AuthenticationError, ConfigurationError
from payman_sdk.sandbox import Sandbox
from payman_sdk.token_stores.file import FileLock
from tests.auth.test_secrets import assert_nothing_in, told_by
from tests.conftest import SECRET
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, TOKEN_PATH, Peer, Request, answer, json_answer, token
from tests.tables import table

SCOPES = [Scope.READ_BALANCE]
BACK = "https://shop.example/back"
CODE = {"client_id": "x", "base_url": "http://127.0.0.1:1"}


@table(
    "wrong",
    [
        lambda: parse_redirect("/back?code=c", state=""),
        lambda: parse_redirect("/back?code=c", state=None),  # type: ignore[arg-type]
        lambda: parse_redirect("http://[", state="s"),
        lambda: parse_redirect(5, state="s"),  # type: ignore[arg-type]
        lambda: parse_redirect(b"/back?code=hunted-authorization-code&state=s", state="s"),  # type: ignore[arg-type]
        lambda: parse_redirect({"code": "hunted-authorization-code"}, state="s"),  # type: ignore[arg-type]
        lambda: authorization_url(5, BACK, SCOPES),  # type: ignore[arg-type]
        lambda: authorization_url("x", 5, SCOPES),  # type: ignore[arg-type]
        lambda: authorization_url("x", "http://[", SCOPES),
        lambda: authorization_url("x", "https://x/\ud800", SCOPES),
        lambda: authorization_url("x", "javascript:alert(1)", SCOPES),
        lambda: authorization_url("x", BACK, None),  # type: ignore[arg-type]
        lambda: authorization_url("x", BACK, SCOPES, state=5),  # type: ignore[arg-type]
        lambda: loopback.authorize("x", SCOPES, timeout=-1),
        lambda: loopback.authorize("x", SCOPES, timeout=1e12),
        lambda: loopback.authorize("x", SCOPES, timeout="x"),  # type: ignore[arg-type]
        lambda: loopback.authorize("x", SCOPES, port="x"),  # type: ignore[arg-type]
        lambda: login(client_id="x", scopes=SCOPES, wait=-1),
        lambda: PaymanClient.with_auth_code(CODE, "c\ud800"),
        lambda: PaymanClient.with_auth_code(CODE, f"{BACK}?code=hunted-authorization-code&state=s"),
        lambda: PaymanClient.with_auth_code(CODE, b"code"),  # type: ignore[arg-type]
        lambda: PaymanClient.with_auth_code(CODE, "c", code_verifier=5),  # type: ignore[arg-type]
        lambda: PaymanClient.with_auth_code(CODE, "c", redirect_uri=object()),  # type: ignore[arg-type]
        lambda: PaymanClient.with_token("x", {"accessToken": "a", "expiresIn": 10**400}),
        lambda: PaymanClient.with_token("x", "token"),  # type: ignore[arg-type]
        lambda: PaymanClient.with_token("x", None),
        lambda: PaymanClient.with_token("x", {"accessToken": b"a", "expiresIn": 5}),
        lambda: PaymanClient(("x", "y")),  # type: ignore[arg-type]
        lambda: PaymanClient(client_id="x", client_secret=b"y"),  # type: ignore[arg-type]
        lambda: PaymanClient(client_id="x", client_secret="y", token_store=object()),  # type: ignore[arg-type]
        lambda: FileTokenStore(""),
        lambda: FileTokenStore("/"),
        lambda: FileTokenStore("a\0b"),
        lambda: FileTokenStore(5),  # type: ignore[arg-type]
        lambda: FileTokenStore(name=5),  # type: ignore[arg-type]
        lambda: RedisTokenStore(None),  # type: ignore[arg-type]
        lambda: RedisTokenStore("http://:hunted-client-secret@nowhere"),
    ],
)
def test_wrong_input_is_an_error_of_ours(wrong: Callable[[], object]) -> None:
    """Whatever is given, what comes out is an error of the SDK that says something, and tells no secret."""
    with pytest.raises(PaymanError) as raised:
        wrong()
    assert str(raised.value)
    assert_nothing_in(*told_by(raised.value))


@table(
    "wrong",
    [
        lambda: PaymanClient({"client_id": "x", "clientSecret": "hunted-client-secret"}),
        lambda: PaymanClient.with_token("x", {"refreshToken": "r"}, clientSecret="hunted-client-secret"),  # type: ignore[call-arg]
        lambda: PaymanClient(client_id="x", client_secret=b"hunted-client-secret"),  # type: ignore[arg-type]
        lambda: PaymanClient(("x", "hunted-client-secret")),  # type: ignore[arg-type]
        lambda: PaymanClient.with_token("x", "hunted-access-token"),  # type: ignore[arg-type]
        lambda: PaymanClient.with_auth_code(CODE, b"hunted-authorization-code"),  # type: ignore[arg-type]
    ],
)
def test_secrets_in_the_wrong_place_are_not_reported(wrong: Callable[[], object]) -> None:
    """A secret under a misspelt name or of a wrong type shows nowhere in the locals of our frames; Python refuses unknown keywords."""
    with pytest.raises((PaymanError, TypeError)) as raised:
        wrong()
    assert_nothing_in(*told_by(raised.value))


def test_a_server_that_repeats_secrets(peer: Peer) -> None:
    """What a server repeats of a request's secrets is not in our errors, nor in the body they keep."""
    peer.always(
        TOKEN_PATH,
        json_answer({"error": "invalid_grant", "error_description": "Invalid: hunted-refresh-token"}, 400),
    )
    given = {"refreshToken": "hunted-refresh-token"}
    with (
        PaymanClient.with_token("x", given, base_url=peer.base_url) as client,
        pytest.raises(PaymanError) as raised,
    ):
        client.ask("Hello!")
    assert isinstance(raised.value, AuthenticationError)
    assert raised.value.error_description == "Invalid: ..."
    assert raised.value.response is not None
    assert_nothing_in(*told_by(raised.value), raised.value.response.text)
    peer.always(TOKEN_PATH, answer(401, "Wrong secret: hunted-client-secret"))
    with (
        PaymanClient(client_id="x", client_secret="hunted-client-secret", base_url=peer.base_url) as client,
        pytest.raises(AuthenticationError, match=r"Wrong secret: \.\.\.") as refused,
    ):
        client.ask("Hello!")
    assert refused.value.response is not None
    assert_nothing_in(*told_by(refused.value), refused.value.response.text)
    peer.always(ASK_PATH, answer(403, "Forbidden for hunted-access-token"))
    held = {"accessToken": "hunted-access-token", "expiresIn": 3600}
    with (
        PaymanClient.with_token("x", held, base_url=peer.base_url) as client,
        pytest.raises(PaymanError) as raised,
    ):
        client.ask("Hello!")
    assert_nothing_in(*told_by(raised.value))
    assert "Forbidden for ..." in str(raised.value)


def test_a_hook_of_the_given_client_that_raises(peer: Peer) -> None:
    """The common hook that raises for error statuses does not bring the token request's address into our error."""
    peer.always(TOKEN_PATH, answer(400))

    def raise_for_status(response: httpx.Response) -> None:
        response.raise_for_status()

    with httpx.Client(trust_env=False, event_hooks={"response": [raise_for_status]}) as http:
        client = PaymanClient.with_token(
            "x", {"refreshToken": "hunted-refresh-token"}, base_url=peer.base_url, http_client=http
        )
        with pytest.raises(AuthenticationError) as raised:
            client.ask("Hello!")
    assert raised.value.status_code == 400
    assert_nothing_in(*told_by(raised.value))


def test_the_credentials_of_a_given_client_do_not_replace_ours(peer: Peer) -> None:
    """An `httpx.Client(auth=…)` keeps its own credentials out of the token request."""
    with httpx.Client(trust_env=False, auth=("them", "theirs")) as http:
        PaymanClient(
            client_id="pm-test-1", client_secret=SECRET, base_url=peer.base_url, http_client=http
        ).ask("Hi!")
    [request] = peer.token_requests()
    assert (
        request.headers["authorization"]
        == f"Basic {base64.b64encode(f'pm-test-1:{SECRET}'.encode()).decode()}"
    )
    assert all("authorization" not in ask.headers for ask in peer.asks())


def test_an_interrupt_while_waiting_for_a_store_leaves_it_usable(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C in the middle of taking a store's lock, the next ask gets it."""
    store = FileTokenStore(tmp_path / "token.json")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with PaymanClient(
        client_id="x", client_secret="y", base_url=peer.base_url, token_store=store, timeout=60
    ) as client:
        with monkeypatch.context() as patched:
            patched.setattr(FileLock, "_lock_file", interrupted)
            with pytest.raises(KeyboardInterrupt):
                client.ask("first")
        assert client.ask("second").status == "completed"


@pytest.mark.skipif(os.name != "posix", reason="the lock is another one there")
def test_an_interrupt_in_the_moment_of_locking_leaves_the_file_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C when the system has locked the file and nobody has noted it yet: others get the lock, while the error is handled too."""
    import fcntl

    lock, lock_it = FileTokenStore(tmp_path / "token.json").lock, fcntl.flock

    def interrupted(*given: Any) -> None:
        lock_it(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            lock.acquire(timeout=0)
    for other in (FileTokenStore(tmp_path / "token.json").lock, lock):
        assert other.acquire(timeout=0), caught
        other.release()


@pytest.mark.parametrize("loop", LOOPS)
def test_async_and_sync_clients_of_the_same_credentials_renew_together(loop: str, peer: Peer) -> None:
    """An async client that renews does not wait for the worker threads in which sync clients wait for it."""
    arrived, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Any:
        arrived.set()
        go_on.wait(30)
        yield from token()(request)

    peer.always(TOKEN_PATH, slow)
    given: Any = {"client_id": "x", "client_secret": "y", "base_url": peer.base_url, "timeout": 20}

    def in_a_thread() -> str:
        with PaymanClient(given) as client:
            return client.ask("Hello!").status

    async def main() -> list[str]:
        statuses: list[str] = []

        async def first() -> None:
            async with AsyncPaymanClient(given) as client:
                statuses.append((await client.ask("Hello!")).status)

        async def another() -> None:
            statuses.append(await anyio.to_thread.run_sync(in_a_thread))

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            with ThreadPoolExecutor(1) as waiting:
                await anyio.to_thread.run_sync(waiting.submit(arrived.wait, 30).result)
            for _ in range(45):
                group.start_soon(another)
            await anyio.sleep(0.3)
            go_on.set()
        return statuses

    assert run_on(loop, main) == ["completed"] * 46
    assert len(peer.token_requests()) == 1


FORKED = """
import os, sys, warnings
warnings.simplefilter("ignore")
from payman_sdk import FileTokenStore, PaymanClient
client = PaymanClient(client_id=sys.argv[1], client_secret=sys.argv[2], base_url=sys.argv[3], timeout=60,
                      token_store=FileTokenStore(sys.argv[4]) if sys.argv[4] else None)
assert client.ask("test connection").status == "completed"
tokens = client._connect().tokens
lock = tokens._kept.store.lock
assert lock.acquire(timeout=60)        # held by the parent while it forks
child = os.fork()
if child == 0:
    tokens._current = None                # a token from the store then; the file's lock comes when the parent lets go
    print(client.ask("test connection").status, flush=True)
    os._exit(0)
import time
time.sleep(0.3)
lock.release()
os.waitpid(child, 0)
print(client.ask("test connection").status)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
@pytest.mark.parametrize("store", ["memory", "file"])
def test_a_client_works_on_both_sides_of_a_fork(store: str, tmp_path: Path) -> None:
    """A program that forks with a client at hand, a lock even in the parent's hand, asks in parent and child."""
    path = str(tmp_path / "token.json") if store == "file" else ""
    with Sandbox() as sandbox:
        done = subprocess.run(
            [sys.executable, "-c", FORKED, sandbox.client_id, sandbox.client_secret, sandbox.base_url, path],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stderr == ""
    assert done.stdout.split() == ["completed", "completed"]


def test_a_client_from_the_store_alone(tmp_path: Path) -> None:
    """A person who authorized once is acted for again with what is in the store, and without it that is said."""
    with Sandbox() as sandbox:
        settings: Any = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "base_url": sandbox.base_url,
        }
        store = FileTokenStore(tmp_path / "token.json")
        PaymanClient.with_auth_code(settings, sandbox.issue_code(), token_store=store).close()
        again = FileTokenStore(tmp_path / "token.json")
        with PaymanClient.with_token(settings, None, token_store=again) as client:
            assert client.ask("test connection").status == "completed"
        assert [request.grant_type for request in sandbox.token_requests] == ["authorization_code"]
        with (
            PaymanClient.with_token(settings, token_store=MemoryTokenStore()) as nobody,
            pytest.raises(AuthenticationError, match="Authorize again"),
        ):
            nobody.ask("Hello!")


def test_a_folder_that_others_can_write_into_is_refused(tmp_path: Path) -> None:
    """A token file in a folder where others can replace it is not used."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    store = FileTokenStore(folder / "token.json")
    with pytest.raises(PaymanError, match="mode 0777") as raised:
        _ = store.lock
    assert f"chmod 700 {folder}" in str(raised.value)


def test_what_is_said_of_settings_names_their_types() -> None:
    """Hiding what was given does not hide of which type it was."""
    with pytest.raises(ConfigurationError, match="config is a tuple"):
        PaymanClient(("x", "y"))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="client_secret is a bytes"):
        PaymanClient(client_id="x", client_secret=b"y")  # type: ignore[arg-type]


@pytest.mark.parametrize("base_url", ["https://xn--a", "https://xn--ls8h-.example"])
def test_a_host_that_cannot_be_written_down(base_url: str) -> None:
    """A name that encodes no other is refused by the setting, and no resolver is asked."""
    with pytest.raises(ConfigurationError, match="base_url is not a URL"):
        PaymanClient(client_id="x", client_secret="y", base_url=base_url, timeout=2).ask("Hello!")
