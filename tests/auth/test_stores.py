from __future__ import annotations

import copy
import hashlib
import json
import os
import pickle
import stat
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import keyring.backend
import keyring.errors
import pytest
import redis

from payman_sdk import (
    FileTokenStore,
    KeyringTokenStore,
    MemoryTokenStore,
    PostgresTokenStore,
    RedisTokenStore,
    StoredToken,
    TokenStore,
)
from payman_sdk._core.auth.stored_token import fingerprint_token
from payman_sdk._io import private_files
from payman_sdk._io.token_store_access import call_within, get_time_left, limit_time
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError, TokenStoreError
from payman_sdk.token_stores import memory
from payman_sdk.token_stores import redis as redis_store
from payman_sdk.token_stores.memory import shared_store

TOKEN = StoredToken(
    issued_to="pm-test-1 at https://agent.payman.dev",
    access_token="access-secret",
    expires_at=1_900_000_000.5,
    lifetime=3600.0,
    refresh_token="refresh-secret",
    scope="read_balance",
)


class FakeKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory, for a machine without one."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # untyped there
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def fake_keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    backend = FakeKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    monkeypatch.setattr(keyring, "get_password", backend.get_password)
    monkeypatch.setattr(keyring, "set_password", backend.set_password)
    return backend


@pytest.fixture(params=["memory", "file", "keyring", "postgres", "redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], TokenStore]:
    """Makes stores of each kind that share one place."""
    match request.param:
        case "memory":
            store = MemoryTokenStore()
            return lambda: store
        case "file":
            return lambda: FileTokenStore(tmp_path / "token.json")
        case "keyring":
            request.getfixturevalue("fake_keyring")
            return KeyringTokenStore
        case "postgres":
            address = request.getfixturevalue("postgres_url")
            return lambda: PostgresTokenStore(address, name=tmp_path.name)
        case _:
            url = request.getfixturevalue("redis_url")
            return lambda: RedisTokenStore(url, name=tmp_path.name)


def saved(store: TokenStore, token: StoredToken = TOKEN) -> None:
    """Saves as a renewal does: with the lock held."""
    assert store.lock.acquire(timeout=60)
    try:
        store.save(token)
    finally:
        store.lock.release()


@pytest.mark.slow
def test_a_store_keeps_a_token_whole(make: Callable[[], TokenStore]) -> None:
    """What is saved is loaded again, whole, by another store of the same place; an empty place holds None."""
    assert make().load() is None
    saved(make())
    assert make().load() == TOKEN
    bare = StoredToken(issued_to="x", access_token=None, expires_at=0.0, lifetime=0.0)
    saved(make(), bare)
    assert make().load() == bare


@pytest.mark.slow
def test_a_lock_is_held_by_one(make: Callable[[], TokenStore]) -> None:
    """While one holds the lock, nobody else gets it; afterwards the next does, also in another thread."""
    one, two = make(), make()
    assert one.lock.acquire(timeout=60)
    assert not two.lock.acquire(timeout=0)
    assert not two.lock.acquire(timeout=0.05)
    release = threading.Thread(target=one.lock.release)
    release.start()
    assert two.lock.acquire(timeout=60)
    release.join()
    two.lock.release()


@pytest.mark.slow
def test_a_lock_is_held_by_one_thread_of_one_store(make: Callable[[], TokenStore]) -> None:
    """The lock of one store object keeps its threads apart as well."""
    lock = make().lock
    held: list[int] = []
    most: list[int] = []

    def hold() -> None:
        assert lock.acquire(timeout=30)
        held.append(1)
        most.append(len(held))
        held.pop()
        lock.release()

    threads = [threading.Thread(target=hold) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20


@pytest.mark.slow
def test_no_secret_in_the_repr_of_a_store_or_a_token(make: Callable[[], TokenStore]) -> None:
    """Neither a store nor a token shows a secret, and a token is not pickled."""
    store = make()
    saved(store)
    for shown in (repr(store), str(store), repr(store.load()), str(store.load())):
        assert "-secret" not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(store.load())


# Files


def test_a_token_file_is_for_its_owner_alone(home: Path) -> None:
    """The usual place is made with mode 0700, the file with 0600."""
    store = FileTokenStore()
    saved(store)
    assert store.path == home / "config" / "payman" / "tokens" / "default.json"
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in store.path.parent.iterdir()] == ["default.json", "default.json.lock"] or [
        path.name for path in store.path.parent.iterdir()
    ] == ["default.json.lock", "default.json"]


def test_names_tell_files_apart(home: Path) -> None:
    """Each name has a file of its own, and a name that is a path is refused."""
    assert FileTokenStore(name="shop").path.name == "shop.json"
    unusable: list[Any] = ["", "../x", "a/b", ".hidden", "a\0b", "a\ud800", None, 5, b"a", ["a"]]
    for name in unusable:
        for make in (FileTokenStore, KeyringTokenStore):
            with pytest.raises(ConfigurationError) as caught:
                make(name=name)
            assert str(caught.value).startswith(f"name is {name!r}. Give a plain name")
        with pytest.raises(ConfigurationError, match=r"^service is .* Give a plain name"):
            KeyringTokenStore("a", service=name)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    """A file with any right for others is not read; the message names the file, the mode and both ways out."""
    path = tmp_path / "token.json"
    path.write_text(TOKEN.to_json())
    path.chmod(mode)
    with pytest.raises(TokenStoreError, match=rf"mode {mode:04o}") as raised:
        FileTokenStore(path).load()
    assert f"chmod 600 {path}" in str(raised.value)
    assert "delete it" in str(raised.value)
    assert "-secret" not in str(raised.value)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A link is neither read nor written through, though what it points to would be fine."""
    target = tmp_path / "target.json"
    target.write_text(TOKEN.to_json())
    target.chmod(0o600)
    path = tmp_path / "token.json"
    path.symlink_to(target)
    store = FileTokenStore(path)
    with pytest.raises(TokenStoreError, match="is a link") as raised:
        store.load()
    assert "delete it" in str(raised.value)
    with pytest.raises(TokenStoreError, match="is a link"):
        saved(store)
    assert target.read_text() == TOKEN.to_json()
    assert path.is_symlink()


@pytest.mark.parametrize("make_it", [Path.mkdir, lambda path: os.mkfifo(path, 0o600)])
def test_what_is_not_a_file_is_refused(make_it: Callable[[Path], None], tmp_path: Path) -> None:
    """A folder or a pipe in the file's place is refused at once, not waited for."""
    path = tmp_path / "token.json"
    make_it(path)
    with pytest.raises(TokenStoreError):
        FileTokenStore(path).load()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    """A file that another user owns is not read."""
    path = tmp_path / "token.json"
    path.write_text(TOKEN.to_json())
    path.chmod(0o600)
    os.chown(path, 12345, 12345)
    with pytest.raises(TokenStoreError, match="another user"):
        FileTokenStore(path).load()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_file_is_refused_that_comes_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of all, another user may make a file just after it was found to be missing: root could read it."""
    path = tmp_path / "token.json"
    look = private_files.find_file_problem

    def look_and_lose(at: Path) -> object:
        problem = look(at)
        path.write_text(TOKEN.to_json())
        path.chmod(0o600)
        os.chown(path, 12345, 12345)
        return problem

    monkeypatch.setattr(private_files, "find_file_problem", look_and_lose)
    with pytest.raises(TokenStoreError, match="by others") as raised:
        FileTokenStore(path).load()
    assert "delete it" in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"issued_to": 1}',
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ]
    + [
        json.dumps({**json.loads(TOKEN.to_json()), key: value})
        for key, value in (
            ("expires_at", "soon"),
            ("lifetime", True),
            ("access_token", 5),
            ("expires_at", None),
        )
    ],
)
def test_a_damaged_file_is_named(content: str, tmp_path: Path) -> None:
    """A file that holds no token is refused with the way out, and its content is not repeated."""
    path = tmp_path / "token.json"
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(TokenStoreError, match="holds no token") as raised:
        FileTokenStore(path).load()
    assert "-secret" not in str(raised.value)


def test_a_failed_save_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the new file cannot be finished, the old one is still there, whole, and nothing else is."""
    store = FileTokenStore(tmp_path / "folder" / "token.json")
    saved(store)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TokenStoreError, match="No space left"):
        saved(store, StoredToken(issued_to="x", access_token="new", expires_at=1.0, lifetime=1.0))
    assert store.load() == TOKEN
    assert sorted(path.name for path in store.path.parent.iterdir()) == ["token.json", "token.json.lock"]


# Keyrings


def test_a_keyring_that_refuses_is_a_clear_error(
    fake_keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A locked keyring is an error of ours, without a frame that holds the token."""

    def locked(*_: str) -> None:
        raise keyring.errors.KeyringLocked("locked")

    monkeypatch.setattr(keyring, "get_password", locked)
    monkeypatch.setattr(keyring, "set_password", locked)
    store = KeyringTokenStore()
    with pytest.raises(TokenStoreError, match="read: locked"):
        store.load()
    with pytest.raises(TokenStoreError, match="written: locked") as raised:
        saved(store)
    assert raised.value.__context__ is None


# Redis


@pytest.mark.slow
def test_a_lock_in_redis_expires(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of a holder that died is free after its time, and the holder can neither save nor release then."""
    monkeypatch.setattr(redis_store, "LOCK_SECONDS", 0.05)
    dead, alive = (RedisTokenStore(redis_url, name=tmp_path.name) for _ in range(2))
    assert dead.lock.acquire(timeout=60)
    assert alive.lock.acquire(timeout=60)
    monkeypatch.undo()
    with pytest.raises(TokenStoreError, match="expired"):
        dead.save(TOKEN)
    dead.lock.release()
    third = RedisTokenStore(redis_url, name=tmp_path.name)
    alive.lock.release()
    saved(third)
    assert alive.load() == TOKEN


@pytest.mark.slow
def test_saving_without_the_lock_is_refused(redis_url: str, tmp_path: Path) -> None:
    """Redis takes a token from the lock's holder only."""
    with pytest.raises(TokenStoreError, match="expired"):
        RedisTokenStore(redis_url, name=tmp_path.name).save(TOKEN)


@pytest.mark.slow
def test_a_redis_that_is_not_there_is_a_clear_error() -> None:
    """A Redis that cannot be reached is an error of ours for every method."""
    store = RedisTokenStore("redis://127.0.0.1:1/0")
    calls: list[Callable[[], Any]] = [
        store.load,
        lambda: store.lock.acquire(timeout=0),
    ]
    for call in calls:
        with pytest.raises(TokenStoreError, match="in Redis cannot be"):
            call()
    with pytest.raises(ConfigurationError, match="redis_client"):
        RedisTokenStore("http://nowhere")


@pytest.mark.slow
def test_a_given_redis_client_is_used(redis_url: str, tmp_path: Path) -> None:
    """A store takes a `redis.Redis` of the program's own, whether it decodes answers or not."""
    for decode in (True, False):
        with redis.Redis.from_url(redis_url, decode_responses=decode) as client:
            store = RedisTokenStore(client, name=tmp_path.name)
            saved(store)
            assert store.load() == TOKEN


# Sharing in one process


def test_a_call_in_a_thread_has_the_limit_and_the_context_of_its_caller() -> None:
    """A store that asks another one has no more time than itself, and a program's tracing goes on in it."""
    mine: ContextVar[str] = ContextVar("mine", default="nothing")
    mine.set("caller")
    with limit_time(5):
        left, context = call_within(lambda: (get_time_left(50), mine.get()), 60)
    assert 0 < left <= 5 and context == "caller"
    assert call_within(lambda: get_time_left(50), 60) == 50


def test_the_same_credentials_share_a_store() -> None:
    """The same credentials at the same server share a store; another secret, id or server does not."""
    one = shared_store("https://a", "id", "secret")
    assert shared_store("https://a", "id", "secret") is one
    others = [("https://b", "id", "secret"), ("https://a", "di", "secret"), ("https://a", "id", "other")]
    assert all(shared_store(*other) is not one for other in others)


def test_an_interrupt_while_a_store_is_looked_up_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """No frame holds the plain text, for a traceback with locals to show."""
    monkeypatch.setattr(memory, "get_fork_lock", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt) as raised:
        shared_store("https://a", "id", SecretStr("s3cret"))
    frames = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    assert "shared_store" in (said := "".join(frames.format())) and "client_secret" in said
    # This function has the text, in its code.
    assert "s3cret" not in said.partition("in shared_store")[2]


def test_shared_stores_are_bounded() -> None:
    """A program with ever new credentials does not grow for ever: the store that was not used for longest goes."""
    first = shared_store("https://a", "first", "s")
    for number in range(1100):
        shared_store("https://a", f"id-{number}", "s")
        if number == 500:
            assert shared_store("https://a", "first", "s") is first
    assert shared_store("https://a", "first", "s") is first
    for number in range(1100):
        shared_store("https://b", f"id-{number}", "s")
    assert shared_store("https://a", "first", "s") is not first


# Secrets


def test_a_lineage_holds_the_start_of_a_hash() -> None:
    """It never changes, for stores outlive processes."""
    mark = (hashlib.sha256("tökén".encode()).hexdigest()[:16],)
    assert fingerprint_token(SecretStr("tökén")) == fingerprint_token("tökén") == mark


def test_a_secret_shows_itself_only_on_purpose() -> None:
    """A secret is the string it is, except in a `repr` and in a pickle."""
    secret = SecretStr("s3cret")
    assert secret == "s3cret"
    assert "s3cret" not in repr(secret)
    assert "s3cret" not in f"{[secret]!r} { ({'key': secret}) }"
    assert copy.copy(secret) == copy.deepcopy({"a": secret})["a"] == "s3cret"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
