"""What is recorded of an idempotency key, and what a later ask with the same key concludes from it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._core.key_store import KeyStore
from payman_sdk._core.requests import derive_task_id
from payman_sdk._io.key_store import MemoryKeyStore, SQLiteKeyStore, open_default_store
from payman_sdk.agents.claims import OperationKey
from payman_sdk.agents.stores import Operation
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.errors import (
    ConfigurationError,
    InvalidParamsError,
    KeyStoreError,
    OutcomeUnknownError,
    PaymanError,
)
from payman_sdk.token_stores.file import FileTokenStore
from tests.conftest import SECRET, Connect
from tests.peer import ASK_PATH, GET_PATH, Peer, Request, answer, completed, reset, rpc
from tests.steps import UnwritableError

PAYMENT = "send 10 TSD to Test Payee"
KEY = "invoice-42"
NOT_KNOWN = rpc(error={"code": -32001, "message": "Task not found"})


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> KeyStore:
    return (
        MemoryKeyStore() if request.param == "memory" else SQLiteKeyStore(tmp_path / "new" / "keys.sqlite3")
    )


def operation(peer: Peer) -> str:
    return f"{derive_task_id('pm-test-1', KEY)} at {peer.base_url}"


def test_a_record_changes_only_as_expected(store: KeyStore) -> None:
    """A claim and its removal take effect only where the record is what the caller believes it is."""
    assert store.load("a") is None
    for sent_at, expected, is_claimed in [
        (1.0, 0.5, False),
        (1.0, None, True),
        (2.0, None, False),
        (2.0, 0.5, False),
        (2.0, 1.0, True),
        (3.5, 2.0, True),
    ]:
        assert store.claim("a", sent_at, expected) is is_claimed, (sent_at, expected)
    assert (store.load("a"), store.load("b")) == (3.5, None)
    store.forget("a", 2.0)
    assert store.load("a") == 3.5
    store.forget("a", 3.5)
    assert store.load("a") is None


def test_one_of_many_claims_wins(store: KeyStore) -> None:
    """Of threads that claim a new key at once, one gets it."""
    with ThreadPoolExecutor(8) as threads:
        for number in range(5):
            won = list(threads.map(lambda at, name=str(number): store.claim(name, float(at), None), range(8)))
            assert sum(won) == 1


def test_the_file_is_its_owners(tmp_path: Path) -> None:
    """The file is created with mode 0600 in a folder of 0700, and a planted link is not followed."""
    store = SQLiteKeyStore(tmp_path / "folder" / "keys.sqlite3")
    before = os.umask(0)
    try:
        store.claim("a", 1.0, None)
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="link"):
        SQLiteKeyStore(tmp_path / "link").claim("a", 1.0, None)
    for path in ("", 5, "a\0b"):
        with pytest.raises(ConfigurationError, match="path"):
            SQLiteKeyStore(path)  # type: ignore[arg-type]


def test_the_place_of_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder that is named, the state folder, the home; none where there is no home."""
    monkeypatch.setattr("sys.platform", "linux")
    for variables, expected in [
        ({"PAYMAN_STATE_DIR": "/a/b"}, "/a/b/keys.sqlite3"),
        ({"XDG_STATE_HOME": "/state"}, "/state/payman/keys.sqlite3"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/x"}, "/home/x/.local/state/payman/keys.sqlite3"),
    ]:
        for name in ("PAYMAN_STATE_DIR", "XDG_STATE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        found = open_default_store()
        assert found is not None
        assert str(found.path) == expected

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert open_default_store() is None


def test_a_relative_place_is_meant_as_it_was_when_it_was_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connect: Connect
) -> None:
    """By a program that changes its working directory, or whose directory is deleted."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    named = f"state-{uuid.uuid4()}"  # which no earlier run in this process has named
    monkeypatch.setenv("PAYMAN_STATE_DIR", named)
    monkeypatch.chdir(first)
    stores = SQLiteKeyStore("keys.sqlite3"), FileTokenStore("token.json"), SQLiteOperationStore("a.sqlite3")
    connect()
    monkeypatch.chdir(second)
    assert [store.path.parent for store in stores] == [first] * 3
    connect()  # a client made later shares the records of the first
    found = open_default_store()
    assert found is not None and found.path == first / named / "keys.sqlite3"
    second.rmdir()
    with pytest.raises(ConfigurationError, match="path is relative, and the working directory is gone"):
        SQLiteKeyStore("keys.sqlite3")
    monkeypatch.setenv("PAYMAN_STATE_DIR", f"{named}-2")
    with pytest.raises(ConfigurationError, match="PAYMAN_STATE_DIR is relative"):
        connect()


def test_a_key_has_one_record_however_its_server_is_spelled(peer: Peer, connect: Connect) -> None:
    """Two processes must see the record of each other, or both would send."""
    store = MemoryKeyStore()
    for base_url in (peer.base_url, f"{peer.base_url.replace('http', 'HTTP')}/"):
        connect(key_store=store, base_url=base_url).ask(PAYMENT, idempotency_key=KEY)
    assert list(store._sent) == [operation(peer)]


def test_a_key_is_recorded_before_the_ask_is_sent(store: KeyStore, peer: Peer, connect: Connect) -> None:
    """When the ask arrives, the record is there; it stays when the ask is done, and goes where nothing was done."""
    recorded: list[float | None] = []

    def look_at_store(request: Request) -> Iterator[bytes]:
        recorded.append(store.load(operation(peer)))
        yield from completed(request)

    def refuse(request: Request) -> Iterator[bytes]:
        recorded.append(store.load(operation(peer)))
        yield from answer(403)(request)

    peer.script(ASK_PATH, refuse, look_at_store)
    client = connect(key_store=store)
    with pytest.raises(PaymanError):
        client.ask(PAYMENT, idempotency_key=KEY)
    assert store.load(operation(peer)) is None
    assert client.ask(PAYMENT, idempotency_key=KEY).status == "completed"
    assert all(isinstance(at, float) for at in recorded)
    assert store.load(operation(peer)) == recorded[-1]


def test_what_was_sent_by_a_process_that_died(store: KeyStore, peer: Peer, connect: Connect) -> None:
    """A record makes an ask wait until nothing may arrive any more; what arrives meanwhile is returned, and not sent again."""
    client = connect(key_store=store, settle_time=5)
    now = __import__("time").time()
    for sent_at, looks, asks in [
        (now, [NOT_KNOWN, NOT_KNOWN, completed], 0),  # it arrived late
        (now + 3600, [NOT_KNOWN, NOT_KNOWN, completed], 0),  # by a clock that goes ahead
        (now - 3600, [NOT_KNOWN], 1),  # it can no longer arrive
    ]:
        peer.requests.clear()
        store.forget(operation(peer), store.load(operation(peer)) or 0.0)
        store.claim(operation(peer), sent_at, None)
        peer.script(GET_PATH, *looks)
        assert client.ask(PAYMENT, idempotency_key=KEY).status == "completed"
        assert len(peer.asks()) == asks, sent_at


def test_never_does_not_send_what_was_recorded(store: KeyStore, peer: Peer, connect: Connect) -> None:
    """With `resend="never"` a key that is on record is looked up, and never sent."""
    store.claim(operation(peer), 1000.0, None)
    with pytest.raises(OutcomeUnknownError, match="may still arrive") as caught:
        connect(key_store=store, resend="never").ask(PAYMENT, idempotency_key=KEY)
    assert (caught.value.sent, peer.asks()) == (True, [])


def test_a_deadline_before_the_end_of_the_wait(
    peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ask whose time ends before nothing can arrive any more is undetermined, and not sent."""
    for shortest in ("_FIRST_LOOK", "_SHORTEST_LOOK"):  # no look-up is under way at the deadline
        monkeypatch.setattr(f"payman_sdk._core.retry.{shortest}", 60.0)
    store = MemoryKeyStore()
    store.claim(operation(peer), 1e11, None)
    with pytest.raises(OutcomeUnknownError, match="may still arrive") as caught:
        connect(key_store=store, settle_time=30).ask(PAYMENT, idempotency_key=KEY, timeout=1)
    assert (caught.value.sent, peer.asks()) == (True, [])


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """A file that another program has locked, and does not release."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.parametrize("library", ["threads", "asyncio", "trio"])
@pytest.mark.parametrize("place", ["the user's", "given", "given, claimed", "of operations"])
def test_a_locked_store_keeps_no_ask_longer_than_its_time(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, library: str
) -> None:
    """Nothing is sent, whichever store is locked, before or after the key is claimed."""
    path = tmp_path / "new" / "keys.sqlite3"
    store: Any = SQLiteKeyStore(path)
    store.load("tsk-1")
    if place == "of operations":
        path = tmp_path / "operations.sqlite3"
        operations, before = SQLiteOperationStore(path), Operation(task_id="tsk-1", account="a")
        operations.save(before)
        store = OperationKey(operations, time.time, before, None, store)
    monkeypatch.setattr("payman_sdk._io.key_store.open_default_store", lambda: store)
    seconds = 1.5 if place == "given, claimed" else 0.3  # the token is fetched in this time, too
    settings: dict[str, Any] = {"timeout": seconds, "key_store": None if place == "the user's" else store}
    began = time.monotonic()
    with contextlib.ExitStack() as opened:
        if place == "given, claimed":
            settings["before_send"] = lambda _: opened.enter_context(locked(path))
        else:
            opened.enter_context(locked(path))
        with pytest.raises(OutcomeUnknownError if place == "the user's" else KeyStoreError) as caught:
            ask_with_key(peer, library, **settings)
    assert (caught.value.sent, peer.asks()) == (False, [])
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_a_store_that_never_returns_is_left_behind(peer: Peer, library: str) -> None:
    """An asynchronous client calls it in a thread, and needs not wait for that."""
    ends = threading.Event()

    class Stuck(MemoryKeyStore):
        def claim(self, *record: Any) -> bool:
            assert ends.wait(60)
            return super().claim(*record)

    store, began = Stuck(), time.monotonic()
    try:
        with pytest.raises(KeyStoreError, match="LateError") as caught:
            ask_with_key(peer, library, key_store=store, timeout=0.3)
        assert time.monotonic() - began < 10
    finally:
        ends.set()
    assert (caught.value.sent, peer.asks()) == (False, [])


def ask_with_key(peer: Peer, library: str, **settings: Any) -> None:
    """Ask with a client, or with an asynchronous one."""
    settings |= {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": peer.base_url}
    if library == "threads":
        with PaymanClient(**settings) as client:
            client.ask(PAYMENT, idempotency_key=KEY)
        return

    async def main() -> None:
        async with AsyncPaymanClient(**settings) as client:
            await client.ask(PAYMENT, idempotency_key=KEY)

    anyio.run(main, backend=library)


class Failing(MemoryKeyStore):
    """Fails at one of its methods."""

    def __init__(self, method: str, failure: object) -> None:
        super().__init__()

        def fail(*_: Any) -> Any:
            if isinstance(failure, BaseException):
                raise failure
            return failure

        setattr(self, method, fail)


def test_a_store_that_fails_sends_nothing(peer: Peer, connect: Connect) -> None:
    """Whatever a given store raises, and whatever is no time, ends the ask before it is sent."""
    failures: list[tuple[str, object]] = [
        ("load", OSError("no disk")),
        ("load", ZeroDivisionError()),
        ("load", "yesterday"),
        ("load", True),
        ("load", float("nan")),
        ("claim", RuntimeError("database is locked")),
        *(("claim", odd) for odd in (None, "conflict", 1, 0, 0.0, NotImplemented)),
        ("load", UnwritableError()),
        ("claim", UnwritableError()),
    ]
    for method, failure in failures:
        with pytest.raises(KeyStoreError) as caught:
            connect(key_store=Failing(method, failure)).ask(PAYMENT, idempotency_key=KEY)
        assert (caught.value.idempotency_key, caught.value.sent, peer.asks()) == (KEY, False, []), (
            method,
            failure,
        )
    with pytest.raises(ConfigurationError, match="key_store is a dict"):
        connect(key_store={})
    with pytest.raises(ConfigurationError, match="key_store is the class MemoryKeyStore"):
        connect(key_store=MemoryKeyStore)


def test_a_claim_that_is_a_coroutine_sends_nothing(peer: Peer, connect: Connect) -> None:
    """Nobody awaits it, so it has claimed nothing, though it counts as true."""

    async def claim() -> bool:
        return False

    def claim_and_close(*_: object) -> Any:
        coroutine = claim()
        coroutine.close()  # so that Python does not warn that it was never awaited
        return coroutine

    store: Any = MemoryKeyStore()
    store.claim = claim_and_close
    with pytest.raises(KeyStoreError, match="claim returned a coroutine, not bool") as caught:
        connect(key_store=store).ask(PAYMENT, idempotency_key=KEY)
    assert (caught.value.sent, peer.asks(), store.load(operation(peer))) == (False, [], None)


def test_without_a_store_a_key_settles_first(
    peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the user's store cannot be used, nobody knows what was sent before, so the task has to stay unknown first."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("PAYMAN_STATE_DIR", str(tmp_path / "file"))
    peer.script(GET_PATH, *[NOT_KNOWN] * 2, completed)
    assert connect(settle_time=5).ask(PAYMENT, idempotency_key=KEY).status == "completed"
    assert peer.asks() == []
    assert connect(settle_time=0.01).ask(PAYMENT, idempotency_key="invoice-43").status == "completed"
    assert len(peer.asks()) == 1


def test_an_ask_without_an_answer_stays_on_record(store: KeyStore, peer: Peer, connect: Connect) -> None:
    """An undetermined outcome keeps the record, so that the next ask with the key does not send at once."""
    peer.script(ASK_PATH, reset)
    client = connect(key_store=store)
    with pytest.raises(OutcomeUnknownError):
        client.ask(PAYMENT, idempotency_key=KEY)
    assert store.load(operation(peer)) is not None


def test_an_ask_is_not_sent_again_once_another_process_has_claimed_it(peer: Peer, connect: Connect) -> None:
    """The third claim of an ask is lost: what was turned away twice is not sent by this process any more."""

    class Contested(MemoryKeyStore):
        claims = 0

        def claim(self, *record: Any) -> bool:
            self.claims += 1
            return self.claims < 3 and super().claim(*record)

    peer.always(ASK_PATH, answer(503, retry_after="0"))
    client = connect(key_store=Contested(), max_retries=3)
    with pytest.raises(OutcomeUnknownError, match="Another process has sent"):
        client.ask("Hello!", idempotency_key="k")
    assert len(peer.asks()) == 2


def test_without_a_store_a_key_still_names_its_task(
    peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded, and an ask that was turned away is sent again."""
    monkeypatch.setattr("payman_sdk._io.key_store.open_default_store", lambda *_: None)
    peer.script(ASK_PATH, answer(503, retry_after="0"), answer(503, retry_after="0"))
    response = connect(max_retries=3).ask("Hello!", idempotency_key="k")
    assert response.task_id == derive_task_id("pm-test-1", "k")
    assert len(peer.asks()) == 3


def test_an_ask_is_not_sent_again_once_the_store_of_the_user_breaks(
    peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record is that of the first attempt, so nobody would wait for the second; the error says what broke, and blames nobody."""

    class Breaking(MemoryKeyStore):
        claims = 0

        def claim(self, *record: Any) -> bool:
            self.claims += 1
            if self.claims == 3:
                raise OSError("the disk is full")
            return super().claim(*record)

    store = Breaking()
    monkeypatch.setattr("payman_sdk._io.key_store.open_default_store", lambda *_: store)
    peer.always(ASK_PATH, answer(503, retry_after="0"))
    with pytest.raises(OutcomeUnknownError, match="This user's key store cannot be used any more") as caught:
        connect(max_retries=3).ask(PAYMENT, idempotency_key=KEY)
    assert "nother process" not in str(caught.value) and caught.value.sent is True
    assert len(peer.asks()) == 2 and store.load(operation(peer)) is not None


def test_a_record_that_cannot_be_removed_hides_no_refusal(
    peer: Peer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """The error says that nothing was done, though the store fails; its failure is logged, and the record stays."""
    store = Failing("forget", OSError("the disk is full"))
    peer.always(ASK_PATH, rpc(error={"code": -32602, "message": "Invalid params"}))
    with pytest.raises(InvalidParamsError) as caught:
        connect(key_store=store).ask(PAYMENT, idempotency_key=KEY)
    assert caught.value.sent is False and store.load(operation(peer)) is not None
    assert (
        "Could not remove the record of an idempotency key" in caplog.text and "disk is full" in caplog.text
    )
