"""Token requests whose answer is lost on the way, against a sandbox that takes each refresh token once; and stores that stall."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import keyring
import pytest
import redis

from payman_api import PATHS
from payman_sdk import (
    AsyncPaymanClient,
    FileTokenStore,
    KeyringTokenStore,
    MemoryTokenStore,
    PaymanClient,
    RedisTokenStore,
    StoredToken,
    TokenStore,
)
from payman_sdk._core.auth import current_token
from payman_sdk._core.auth.stored_token import fingerprint_token
from payman_sdk._core.effects import Lock
from payman_sdk._core.hook_payloads import TokenRefresh
from payman_sdk._io import token_store_access
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    PaymanError,
    TokenStoreError,
)
from payman_sdk.sandbox import Sandbox
from tests.auth.fleet_worker import die_before_saving
from tests.auth.redis_proxy import Fate, named, proxying
from tests.loops import LOOPS, run_on
from tests.peer import TOKEN_PATH, Peer, Request, token
from tests.processes import Forked

SOON = 25.0
"""Seconds: more than a busy machine needs, and fewer than what stalls would take."""


class Losing(httpx.BaseTransport):
    """A way to a sandbox on which answers of the token endpoint get lost, after it has carried out what was asked."""

    def __init__(self, sandbox: Sandbox, *failures: Exception | None) -> None:
        self._inner = httpx.HTTPTransport()
        self.failures = list(failures)
        self.spent: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if request.url.path != PATHS["create_token"]:
            return answer
        self.spent.append(request.url.params["refresh_token"])
        failure = self.failures.pop(0) if self.failures else None
        if failure is None:
            return answer
        answer.read()
        answer.close()
        raise failure

    def close(self) -> None:
        self._inner.close()


def settings_of(sandbox: Sandbox, transport: Any = None) -> Any:
    """The settings of a client for a person."""
    return {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "base_url": sandbox.base_url,
        "transport": transport,
    }


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def person(sandbox: Sandbox, store: TokenStore | None = None, *failures: Exception | None, **settings: Any) -> tuple[PaymanClient, Losing]:  # fmt: skip
    """A client for a person whose access token has ended."""
    way = Losing(sandbox, *failures)
    token = {**sandbox.issue_token(), "expiresIn": 0}
    config: Any = {**settings_of(sandbox, way), **settings}
    return PaymanClient.with_token(config, token, token_store=store), way


def test_a_request_that_a_cassette_lacks_spends_no_refresh_token(sandbox: Sandbox) -> None:
    """Nothing has been sent when vcrpy raises for it."""
    lacking = type("CannotOverwriteExistingCassetteException", (Exception,), {"__module__": "vcr.errors"})

    def refuse(_: httpx.Request) -> httpx.Response:
        raise lacking("No match for the request")

    store = MemoryTokenStore()
    token = {**sandbox.issue_token(), "expiresIn": 0}
    settings = settings_of(sandbox, httpx.MockTransport(refuse))
    with PaymanClient.with_token(settings, token, token_store=store) as client:
        with pytest.raises(APIConnectionError, match="No match for the request") as raised:
            client.ask("Hello!")
        kept = store.load()
    assert raised.value.sent is False
    assert kept is not None and (kept.refresh_token, kept.unanswered) == (token["refreshToken"], ())


def test_a_lost_answer_ends_in_an_error_that_says_what_to_do(sandbox: Sandbox) -> None:
    """A server that betrays reuse is asked twice at most, with a pause between, however often the client asks."""
    client, way = person(sandbox, None, httpx.ReadError("lost"), httpx.ReadTimeout("lost"))
    with client:
        for _ in range(5):
            with pytest.raises(AuthenticationError) as raised:
                client.ask("list all wallets")
            assert "uthorize again" in raised.value.next_step
            assert raised.value.sent is False
    assert len(way.spent) == 2
    assert len(set(way.spent)) == 1
    assert "send_task" not in {request.operation for request in sandbox.requests}


def test_a_server_that_does_not_rotate_answers_the_second_time() -> None:
    """Where the refresh token is good for more than one use, the ask succeeds after the pause."""
    with Sandbox(rotate_refresh_tokens=False) as sandbox:
        client, way = person(sandbox, None, RuntimeError("Event loop is closed"))
        with client:
            assert client.ask("list all wallets").status == "completed"
        assert len(way.spent) == 2


def test_a_fleet_whose_answer_was_lost_sends_it_twice_in_all(sandbox: Sandbox, tmp_path: Path) -> None:
    """Threads and clients that share a store know of each other's lost answers: nobody hammers the endpoint."""
    for make in (lambda: FileTokenStore(tmp_path / "token.json"), MemoryTokenStore):
        shared = make()
        token = {**sandbox.issue_token(), "expiresIn": 0}
        ways = [Losing(sandbox, *[httpx.ReadError("lost")] * 9) for _ in range(4)]
        before = sandbox.reuse_detected

        def ask(way: Losing, store: TokenStore, token: Any = token) -> list[str]:
            with PaymanClient.with_token(settings_of(sandbox, way), token, token_store=store) as client:
                said: list[str] = []
                for _ in range(3):
                    with contextlib.suppress(AuthenticationError):
                        said.append(client.ask("list all wallets").status)
                return said

        with ThreadPoolExecutor(4) as threads:
            stores = [shared if isinstance(shared, MemoryTokenStore) else make() for _ in ways]
            assert list(threads.map(ask, ways, stores)) == [[]] * 4
        assert sum(len(way.spent) for way in ways) == 2
        assert sandbox.reuse_detected - before <= 1


@pytest.mark.slow
def test_a_process_that_is_killed_before_it_could_save_leaves_word(sandbox: Sandbox, tmp_path: Path) -> None:
    """After a kill between rotation and saving, the next process knows: it waits, sends the refresh token once, and says what to do."""
    store = FileTokenStore(tmp_path / "token.json")
    order = {
        **settings_of(sandbox),
        "refresh_token": sandbox.issue_token()["refreshToken"],
        "file": str(store.path),
    }
    with contextlib.closing(Forked(die_before_saving)) as worker:
        worker.order(order)
        assert worker.status() == -9
    kept = store.load()
    assert kept is not None
    assert (kept.refresh_token, len(kept.unanswered)) == (order["refresh_token"], 1)
    way = Losing(sandbox)
    with PaymanClient.with_token(settings_of(sandbox, way), None, token_store=store) as client:
        for _ in range(3):
            with pytest.raises(AuthenticationError) as raised:
                client.ask("list all wallets")
            assert "Authorize again" in raised.value.next_step
    assert way.spent == [order["refresh_token"]]


def test_another_process_has_a_newer_token(sandbox: Sandbox, tmp_path: Path) -> None:
    """What another process has put into the store during the pause is used, and the spent token is not sent again."""
    store, newer = FileTokenStore(tmp_path / "token.json"), sandbox.issue_token()

    def meanwhile(renewal: TokenRefresh) -> None:
        """As the hook is called when the renewal has failed, and its lock is free."""
        assert renewal.error is not None
        theirs = FileTokenStore(store.path)
        assert theirs.lock.acquire(timeout=0)
        kept = theirs.load()
        assert kept is not None
        theirs.save(
            StoredToken(
                kept.issued_to,
                str(newer["accessToken"]),
                time.time() + 3600,
                3600,
                str(newer["refreshToken"]),
                lineage=(*fingerprint_token(way.spent[0]), "newer"),
            )
        )
        theirs.lock.release()

    client, way = person(sandbox, store, httpx.ReadError("lost"), on_token=meanwhile)
    with client:
        assert client.ask("list all wallets").status == "completed"
    assert len(way.spent) == 1
    assert sandbox.reuse_detected == 0


@pytest.mark.parametrize("loop", LOOPS)
def test_a_lost_answer_on_an_event_loop(loop: str, sandbox: Sandbox) -> None:
    """The asynchronous client does the same."""
    spent: list[str] = []

    class AsyncLosing(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self.inner = httpx.AsyncHTTPTransport()

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await self.inner.handle_async_request(request)
            if request.url.path == PATHS["create_token"]:
                spent.append(request.url.params["refresh_token"])
                await answer.aread()
                await answer.aclose()
                raise httpx.ReadError("lost")
            return answer

        async def aclose(self) -> None:
            await self.inner.aclose()

    async def main() -> None:
        token = {**sandbox.issue_token(), "expiresIn": 0}
        async with AsyncPaymanClient.with_token(settings_of(sandbox, AsyncLosing()), token) as client:
            for _ in range(3):
                with pytest.raises(AuthenticationError):
                    await client.ask("list all wallets")

    run_on(loop, main)
    assert len(spent) == 2


def test_a_token_that_could_not_be_saved_is_saved_by_closing(sandbox: Sandbox) -> None:
    """A program that asks once and ends leaves its token in the store, though the first attempt failed."""

    class Failing(MemoryTokenStore):
        fails = True

        def save(self, token: StoredToken) -> None:
            if self.fails and token.access_token is not None and not token.unanswered:
                Failing.fails = False
                raise OSError(28, "No space left on device")
            super().save(token)

    store = Failing()
    client, way = person(sandbox, store)
    with client:
        assert client.ask("list all wallets").status == "completed"
        assert (store.load() or client).refresh_token == way.spent[0]  # type: ignore[union-attr]
    kept = store.load()
    assert kept is not None
    assert kept.refresh_token != way.spent[0]


# Stores that stall


def took(ask: Callable[[], object]) -> tuple[PaymanError, float]:
    """The error of an ask, and the seconds that it took."""
    began = time.monotonic()
    with pytest.raises(PaymanError) as raised:
        ask()
    return raised.value, time.monotonic() - began


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_a_keyring_that_waits_for_a_person_is_left_behind(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyring that blocks holds an ask no longer than its timeout; the error names it, and later it is asked again."""
    unlocked = threading.Event()
    kept: dict[str, str] = {}
    monkeypatch.setattr(keyring, "get_password", lambda service, name: (unlocked.wait(60), kept.get(name))[1])
    monkeypatch.setattr(keyring, "set_password", lambda service, name, text: kept.update({name: text}))
    client, way = person(sandbox, KeyringTokenStore("alice"), timeout=0.4)
    with client:
        for _ in range(3):
            error, seconds = took(lambda: client.ask("list all wallets"))
            assert isinstance(error, TokenStoreError | APITimeoutError)
            assert "alice" in str(error)
            assert seconds < SOON
        assert way.spent == []
        unlocked.set()
        assert client.ask("list all wallets", timeout=30).status == "completed"
    assert len(way.spent) == 1


@pytest.mark.usefixtures("home")
def test_a_late_write_of_a_keyring_replaces_no_newer_token(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the keyring is at a write that was left behind, nobody gets the lock of the store."""
    writing, go_on = threading.Event(), threading.Event()
    kept: dict[str, str] = {}

    def slow(service: str, name: str, text: str) -> None:
        writing.set()
        go_on.wait(60)
        kept[name] = text

    monkeypatch.setattr(keyring, "get_password", lambda service, name: kept.get(name))
    monkeypatch.setattr(keyring, "set_password", slow)
    from payman_sdk._io.token_store_access import limit_time

    store, other = KeyringTokenStore("bob"), KeyringTokenStore("bob")
    assert store.lock.acquire(timeout=60)
    with limit_time(0.1), pytest.raises(TokenStoreError, match="payman/bob"):
        store.save(StoredToken("x", "a", 1.0, 1.0))
    store.lock.release()
    assert writing.is_set()
    assert not other.lock.acquire(timeout=0.1)
    go_on.set()
    assert other.lock.acquire(timeout=60)
    other.lock.release()


@pytest.mark.slow
def test_a_redis_that_stalls_holds_no_ask_longer_than_its_timeout(
    sandbox: Sandbox, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down, unreachable, silent at any command, with a client of the program's own that waits for ever: an error in time that names it."""
    monkeypatch.setattr(token_store_access, "_LOCK_ANSWER", 0.2)
    monkeypatch.setattr(token_store_access, "RELEASE_ANSWER", 0.1)
    monkeypatch.setattr(current_token, "_LEAST", 0.2)
    for command in ("HELLO", "SET", "EVAL"):

        def fate(request: bytes, command: str = command) -> Fate:
            return "silence" if command in named(request) else "pass"

        with proxying(redis_url, fate) as url:
            name = f"{tmp_path.name}-{command}"
            for given in (url, redis.Redis.from_url(url, socket_timeout=None)):
                client, _ = person(sandbox, RedisTokenStore(given, name=name), timeout=0.25, max_retries=0)
                began = time.monotonic()
                with client:
                    try:
                        client.ask(
                            "list all wallets"
                        )  # where only giving the lock back fails, the ask does not
                    except PaymanError as failure:
                        assert f"payman:token:{name}" in str(failure), failure
                assert time.monotonic() - began < SOON, command
    client, _ = person(sandbox, RedisTokenStore("redis://127.0.0.1:1/0", name="down"), timeout=30.0)
    with client:
        error, seconds = took(lambda: client.ask("list all wallets"))
        assert isinstance(error, TokenStoreError)
        assert "payman:token:down" in str(error)
        assert seconds < SOON


@pytest.mark.slow
def test_a_lock_that_somebody_holds_is_named(
    sandbox: Sandbox,
    tmp_path: Path,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A lock that cannot be had is an error at the ask's end that says whose it is; the log says earlier what is waited for."""
    monkeypatch.setattr(token_store_access, "_SILENCE", 0.05)

    class Own(MemoryTokenStore):
        """A store of a program's own."""

    file = FileTokenStore(tmp_path / "token.json")
    in_redis = RedisTokenStore(redis_url, name=tmp_path.name)
    own = Own()
    holders: list[tuple[TokenStore, TokenStore, str]] = [
        (file, FileTokenStore(tmp_path / "token.json"), str(tmp_path / "token.json")),
        (in_redis, RedisTokenStore(redis_url, name=tmp_path.name), f"payman:token:{tmp_path.name}"),
        (own, own, "Own"),
    ]
    for store, holder, name in holders:
        caplog.clear()
        lock: Lock = holder.lock
        assert lock.acquire(timeout=60)
        client, way = person(sandbox, store, timeout=0.3, max_retries=0)
        with client:
            error, seconds = took(lambda client=client: client.ask("list all wallets"))  # type: ignore[misc]
        lock.release()
        assert isinstance(error, APITimeoutError)
        assert name in str(error)
        assert error.sent is False
        assert seconds < SOON
        assert way.spent == []
        assert "Waiting for the lock of" in caplog.text


def test_a_long_ask_does_not_wait_for_a_lock_for_its_whole_time(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long an ask may take, a renewal that does not end elsewhere ends the wait before."""
    monkeypatch.setattr("payman_sdk._core.auth.tokens._WAIT", 0.2)
    holder = FileTokenStore(tmp_path / "token.json")
    assert holder.lock.acquire(timeout=60)
    client, _ = person(sandbox, FileTokenStore(tmp_path / "token.json"), timeout=600, max_retries=0)
    with client:
        error, seconds = took(lambda: client.ask("list all wallets"))
    holder.lock.release()
    assert isinstance(error, APITimeoutError)
    assert seconds < SOON


# Keyrings that take few characters


class SmallKeyring:
    """A keyring that takes so many characters, and may die at any write."""

    def __init__(self, most: int, *, truncates: bool = False, removes: bool = True) -> None:
        self.most, self.truncates, self.removes = most, truncates, removes
        self.kept: dict[str, str] = {}
        self.writes = 0
        self.dies_at = -1

    def get(self, service: str, name: str) -> str | None:
        return self.kept.get(name)

    def set(self, service: str, name: str, text: str) -> None:
        if len(text.encode("utf-16-le")) > 2 * self.most:
            if not self.truncates:
                raise OSError(1783, "CredWrite", "The stub received bad data")
            text = text[: self.most]
        self._count()
        self.kept[name] = text

    def delete(self, service: str, name: str) -> None:
        if not self.removes:
            raise NotImplementedError("delete")
        self._count()
        del self.kept[name]

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self.dies_at:
            raise KeyboardInterrupt  # what no store handles, as a kill


def used(small: SmallKeyring, monkeypatch: pytest.MonkeyPatch) -> KeyringTokenStore:
    monkeypatch.setattr(keyring, "get_password", small.get)
    monkeypatch.setattr(keyring, "set_password", small.set)
    monkeypatch.setattr(keyring, "delete_password", small.delete)
    return KeyringTokenStore("carol")


def token_of(length: int, name: str) -> StoredToken:
    return StoredToken(f"pm-1 at {name}", name * (length // len(name)), 1.9e9, 3600.0, f"refresh-{name}", lineage=(name,) * 64)  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_a_keyring_of_few_characters_keeps_long_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of any length are kept whole in keyrings that take 1,280 characters or fewer, also where they cut what is longer."""
    wrong: list[str] = []
    for most in (1280, 1200, 1000, 500, 255, 128):
        for length in (10, 40, 1100, 1200, 1280, 4000, 20000):
            for truncates, removes in ((False, True), (False, False), (True, True)):
                if truncates and most < 1200 and length < 1200:
                    continue  # a short token is written whole, and is not read again
                small = SmallKeyring(most, truncates=truncates, removes=removes)
                store = used(small, monkeypatch)
                for name in ("one", "two", "three"):
                    for each in (length, 10):
                        token = token_of(each, name)
                        store.save(token)
                        if KeyringTokenStore("carol").load() != token:
                            wrong.append(f"{most} {length} {truncates} {removes}")
                left = [text for text in small.kept.values() if "one" in text or "two" in text]
                if left and removes:
                    wrong.append(f"{most} {length}: {len(left)} entries of earlier tokens are left")
    assert wrong == []


@pytest.mark.usefixtures("home")
def test_a_kill_at_any_write_leaves_one_token_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a writer is killed, the next finds the token before or the one after, never a mixture, and goes on from there."""
    wrong: list[str] = []
    for before, after in ((10, 4000), (4000, 10), (4000, 4000), (4000, 9000), (9000, 4000), (10, 10)):
        old, new = token_of(before, "old"), token_of(after, "new")
        for dies_at in range(1, 30):
            small = SmallKeyring(1280)
            store = used(small, monkeypatch)
            store.save(old)
            small.writes, small.dies_at = 0, dies_at
            is_killed = False
            try:
                store.save(new)
            except KeyboardInterrupt:
                is_killed = True
            found = KeyringTokenStore("carol").load()
            if found not in (old, new) or (not is_killed and found != new):
                wrong.append(f"{before} {after} at {dies_at}: {found and found.issued_to}")
            small.dies_at = -1
            for later in (token_of(5000, "later"), token_of(20, "last")):
                store.save(later)
                if KeyringTokenStore("carol").load() != later:
                    wrong.append(f"{before} {after} at {dies_at}: not mended")
            if not is_killed:
                break
    assert wrong == []


@pytest.mark.usefixtures("home")
def test_names_of_parts_are_nobodys_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account's name is the name of a part of another's token."""
    small = SmallKeyring(1280)
    used(small, monkeypatch)
    names = ["carol", "carol#a0", "carol#b0", "carol%23a0", "carol#a1", "carol#"]
    stores = [KeyringTokenStore(name) for name in names]
    for _ in range(3):
        for number, store in enumerate(stores):
            store.save(token_of(3000, f"n{number}"))
    assert [store.load() for store in stores] == [
        token_of(3000, f"n{number}") for number in range(len(names))
    ]


@pytest.mark.usefixtures("home")
def test_damaged_parts_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that is missing, changed or of another token makes no token; the error says what to do and repeats nothing."""
    small = SmallKeyring(1280)
    store = used(small, monkeypatch)
    store.save(token_of(4000, "secret"))
    whole = dict(small.kept)
    parts = [name for name in whole if "#" in name]
    for change in ("missing", "changed", "swapped", "emptied"):
        small.kept = dict(whole)
        first, second = parts[:2]
        match change:
            case "missing":
                del small.kept[first]
            case "changed":
                small.kept[first] = "x" + small.kept[first][1:]
            case "swapped":
                small.kept[first], small.kept[second] = small.kept[second], small.kept[first]
            case _:
                small.kept[first] = ""
        with pytest.raises(TokenStoreError, match="holds no token") as raised:
            store.load()
        assert "secretsecret" not in str(raised.value)


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_a_windows_keyring_loses_no_authorization(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rotations, each with a longer lineage, leave a token that a restarted program can use."""
    small = SmallKeyring(1280)
    store = used(small, monkeypatch)
    client, way = person(sandbox, store)
    with client:
        for _ in range(80):
            client.ask("list all wallets")
            sandbox.revoke_tokens()
    assert len(way.spent) > 60
    with PaymanClient.with_token(
        settings_of(sandbox), None, token_store=KeyringTokenStore("carol")
    ) as restarted:
        assert restarted.ask("list all wallets").status == "completed"
    assert sandbox.reuse_detected == 0


@pytest.mark.parametrize("ends", ["the program", "every task that it sees"])
def test_a_renewal_comes_to_its_end_though_all_tasks_are_cancelled(ends: str, tmp_path: Path) -> None:
    """The new refresh token must not get lost, nor the lock of the store be held on, whoever cancels the tasks of a loop."""
    store = FileTokenStore(tmp_path / "token.json")
    asked = threading.Event()

    def renew_slowly(request: Request) -> Iterator[bytes]:
        asked.set()
        time.sleep(0.2)
        yield from token("access-2", refresh_token="refresh-2")(request)

    async def main(settings: Any) -> None:
        client = AsyncPaymanClient.with_token(settings, {"refreshToken": "refresh-1"}, token_store=store)
        asking = asyncio.create_task(client.ask("list all wallets"))
        assert await asyncio.to_thread(asked.wait, 10)
        if ends == "every task that it sees":
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.wait([asking])

    with Peer() as peer:
        peer.always(TOKEN_PATH, renew_slowly)
        asyncio.run(main({"client_id": "pm-test-1", "client_secret": "s3cret", "base_url": peer.base_url}))
        assert len(peer.token_requests()) == 1
    saved = store.load()
    assert saved is not None
    assert saved.refresh_token == "refresh-2"
    lock = FileTokenStore(store.path).lock
    assert lock.acquire(timeout=0)
    lock.release()
