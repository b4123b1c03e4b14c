"""Tokens in Redis: names, time to live, plain text, and servers that lack something, are slow or lose answers."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from payman_sdk import RedisTokenStore, StoredToken
from payman_sdk.agents import Operation
from payman_sdk.agents.stores.redis import RedisOperationStore
from payman_sdk.errors import ConfigurationError, PaymanError, TokenStoreError
from payman_sdk.token_stores import _redis_access
from tests.auth.redis_proxy import Fate, closing, named, proxying, refusing

pytestmark = pytest.mark.slow


TOKEN = StoredToken("pm-1 at https://agent.payman.dev", "access", time.time() + 3600, 3600.0, "refresh")
SCRIPTS = ("EVAL", "EVALSHA", "SCRIPT")
TRANSACTIONS = ("WATCH", "MULTI", "EXEC")
SOON = 25.0
"""Seconds: more than a busy machine needs, and fewer than a lock that nobody gives back lasts."""
_NUMBERS = itertools.count()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of the test's own, for all stores share a server."""
    return f"{request.node.name}-{next(_NUMBERS)}"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def saved(store: RedisTokenStore, token: StoredToken = TOKEN) -> None:
    assert store.lock.acquire(timeout=60)
    try:
        store.save(token)
    finally:
        store.lock.release()


# Names


def test_every_name_is_a_name(redis_url: str, name: str, client: redis.Redis) -> None:
    """No name leads to the keys of another: not to its lock, and not to what it looks like when it is escaped."""
    names = [f"{name}{ending}" for ending in ("", ":lock", "%3Alock", ":lock:lock", "%253Alock", ":", "%", "%3A", " :lock", ":Lock", "::lock", "/lock", "✓", "\u0000")]  # fmt: skip
    stores = [RedisTokenStore(redis_url, name=each) for each in names]
    for number, store in enumerate(stores):
        saved(store, TOKEN._replace(scope=str(number)))
    assert all(store.lock.acquire(timeout=0) for store in stores)
    assert [found.scope if (found := store.load()) else None for store in stores] == [
        str(number) for number in range(len(names))
    ]
    for store in stores:
        store.lock.release()
    assert client.get(f"payman:token:{name}") is not None  # a plain name is a key as it is


def test_every_name_of_operations_is_a_name(redis_url: str, name: str) -> None:
    """A store's name, a run and an operation end in no key of another's."""
    names = [
        f"{name}{ending}"
        for ending in ("", ":lock", ":run:a", ":lock:operation x", "%3Arun%3Aa", ":run", ":")
    ]
    stores = [RedisOperationStore(redis_url, name=each) for each in names]
    for number, store in enumerate(stores):
        store.save(Operation(task_id=f"tsk-{number}", account="a", runs=["a", "x:lock", "y"]))
    for number, store in enumerate(stores):
        for run in ("a", "x:lock", "y"):
            assert [one.task_id for one in store.list_by_run(run)] == [f"tsk-{number}"], (names[number], run)
        assert list(store.list_by_run("x")) == []
    locks = [store.lock(of) for store in stores for of in ("operation x", "run a", "run:a", "run%3Aa")]
    assert all(lock.acquire(timeout=0) for lock in locks)
    for lock in locks:
        lock.release()


@pytest.mark.parametrize("make", [RedisTokenStore, RedisOperationStore])
def test_a_name_that_is_none_is_refused(make: Callable[..., object]) -> None:
    """A blank name, and anything but a text, names no account."""
    for given in ("", "  ", None, 5, b"name"):
        with pytest.raises(ConfigurationError, match=r"^name is blank"):
            make("redis://localhost", name=given)


# Time to live


def test_keys_do_not_live_for_ever(redis_url: str, name: str, client: redis.Redis) -> None:
    """Locks expire in seconds, tokens in days: long after whatever they are good for."""
    day = 24 * 3600
    for token, shortest, longest in (
        (TOKEN, 179 * day, 180 * day),
        (TOKEN._replace(refresh_token=None), day, 1.1 * day),
        (TOKEN._replace(refresh_token=None, expires_at=0.0), 0.9 * day, day),
        (TOKEN._replace(access_token=None), 179 * day, 180 * day),
    ):
        store = RedisTokenStore(redis_url, name=name)
        saved(store, token)
        assert shortest <= int(client.ttl(f"payman:token:{name}")) <= longest
        assert store.lock.acquire(timeout=60)
        assert 0 < int(client.ttl(f"payman:token:{name}:lock")) <= 30
        store.lock.release()
    lock = RedisOperationStore(redis_url, name=name).lock("operation a")
    assert lock.acquire(timeout=60)
    assert 0 < int(client.ttl(f"payman:operations:{name}:lock:operation a")) <= 30
    lock.release()


# Plain text


class Somewhere(redis.Connection):
    """A connection of a class that nobody knows, to another machine."""


def test_nothing_crosses_a_network_in_plaintext_unless_that_is_allowed() -> None:
    """Another machine is reached by TLS, or where the argument that is named so says that it need not be."""
    elsewhere: dict[str, Any] = {
        "a name": "redis://redis.example:6379/0",
        "a name of one word": "redis://redis",
        "an address": "redis://10.0.0.5:6379",
        "IPv6": "redis://[fd00::1]:6379",
        "a name that begins like this machine": "redis://localhost.example",
        "an address that begins like this machine": "redis://127.0.0.1.example",
        "every address": "redis://0.0.0.0",
        "a password": "redis://:s3cret-word@redis.example",
        "the host in the query": "redis://?host=redis.example",
        "capitals": "redis://Redis.Example",
        "this machine as the user": "redis://localhost:x@redis.example",
        "a client": redis.Redis(host="redis.example"),
        "a pool": redis.Redis(connection_pool=redis.ConnectionPool(host="redis.example")),
        "a class of connections": redis.Redis(
            connection_pool=redis.ConnectionPool(Somewhere, host="redis.example")
        ),
        "no host": redis.Redis(connection_pool=redis.ConnectionPool(Somewhere)),
        "a sentinel": redis.Sentinel([("localhost", 26379)]).master_for("payman"),  # type: ignore[no-untyped-call] # untyped there
    }
    fine: dict[str, Any] = {
        "TLS": "rediss://redis.example:6379/0",
        "this machine": "redis://localhost:6379/0",
        "this machine in capitals": "redis://LOCALHOST",
        "this machine by default": "redis://",
        "its address": "redis://127.0.0.1",
        "another of its addresses": "redis://127.1.2.3",
        "its IPv6 address": "redis://[::1]:6379",
        "a socket": "unix:///run/redis.sock",
        "a client with TLS": redis.Redis(host="redis.example", ssl=True),
        "a client of a socket": redis.Redis(unix_socket_path="/run/redis.sock"),
    }
    for make in (RedisTokenStore, RedisOperationStore):
        let_in = []
        for what, given in elsewhere.items():
            try:
                make(given)
            except ConfigurationError as error:
                assert "allow_plaintext=True" in str(error)
                assert "s3cret-word" not in str(error)
            else:
                let_in.append(what)
            make(given, allow_plaintext=True)
        assert let_in == []
        for given in fine.values():
            make(given)


def test_what_is_not_an_address_repeats_no_password() -> None:
    """An address that cannot be read is named without what it holds."""
    for given in ("http://u:s3cret-word@h", "redis://:s3cret/word@h", "s3cret-word", "redis://h:s3cret-word/0", "redis://h/0?socket_timeout=s3cret-word"):  # fmt: skip
        with pytest.raises(
            ConfigurationError, match=r"redis_client is not the address|unencrypted"
        ) as raised:
            RedisTokenStore(given)
        assert "s3cret" not in str(raised.value)


# Servers that lack something


def refuse_two_keys(request: bytes) -> Fate | bytes:
    """What a proxy before several machines does: it takes scripts of one key, and closes where it does not know a command."""
    if "EVAL" in named(request) and b"KEYS[1]" in request and b"\r\n$1\r\n2\r\n" in request:
        return b"-CROSSSLOT Keys in request don't hash to the same slot\r\n"
    return closing(*TRANSACTIONS)(request)


LACKING = {
    "scripts": refusing(*SCRIPTS),
    "scripts, by a proxy that closes": closing(*SCRIPTS),
    "EVAL alone": refusing("EVAL"),
    "loaded scripts": refusing("EVALSHA", "SCRIPT"),
    "transactions": refusing(*TRANSACTIONS),
    "transactions, by a proxy that closes": closing(*TRANSACTIONS),
    "transactions, and scripts of two keys": refuse_two_keys,
    "nothing": refusing(),
}
LACKING_BOTH = {
    "both": refusing(*SCRIPTS, *TRANSACTIONS),
    "both, by a proxy that closes": closing(*SCRIPTS, *TRANSACTIONS),
    "scripts, and WATCH": refusing(*SCRIPTS, "WATCH"),
    "scripts, and MULTI": refusing(*SCRIPTS, "MULTI"),
    "scripts, and EXEC": refusing(*SCRIPTS, "EXEC"),
    "commands that nobody knows": refusing(*SCRIPTS, *TRANSACTIONS, error="ERR unknown command"),
    "scripts by error, transactions by closing": lambda request: refusing(*SCRIPTS)(request) if "EVAL" in named(request) else closing(*TRANSACTIONS)(request),
}  # fmt: skip


@pytest.mark.parametrize("lacking", LACKING)
def test_a_server_that_lacks_one_of_them_does(
    lacking: str, redis_url: str, name: str, client: redis.Redis
) -> None:
    """Scripts or transactions are enough: a lock that was given back is free at once, and a token is kept."""
    with proxying(redis_url, LACKING[lacking]) as url:
        one, two = (RedisTokenStore(url, name=name) for _ in range(2))
        began = time.monotonic()
        for store in (one, two, one, two):
            saved(store)
        assert two.load() == TOKEN
        assert time.monotonic() - began < SOON
        assert client.exists(f"payman:token:{name}:lock") == 0
        # A lock that was lost is neither written under nor given back.
        assert one.lock.acquire(timeout=60)
        client.set(f"payman:token:{name}:lock", "somebody else's")
        with pytest.raises(TokenStoreError, match="expired"):
            one.save(TOKEN)
        one.lock.release()
        assert client.get(f"payman:token:{name}:lock") == b"somebody else's"


@pytest.mark.parametrize("lacking", LACKING_BOTH)
def test_a_server_that_lacks_both_is_named(
    lacking: str, redis_url: str, name: str, client: redis.Redis
) -> None:
    """Without scripts and transactions no lock is taken: the error says what is missing, at once, and leaves no lock behind."""
    with proxying(redis_url, LACKING_BOTH[lacking]) as url:
        began = time.monotonic()
        for timeout in (0, 60, 60):
            with pytest.raises(
                TokenStoreError, match=r"neither scripts .* nor transactions .*allowed.* Allow EVAL, or WATCH"
            ):
                RedisTokenStore(url, name=name).lock.acquire(timeout=timeout)
        lock = RedisOperationStore(url, name=name).lock("operation a")
        with pytest.raises(PaymanError, match="Allow EVAL"):
            lock.acquire(timeout=60)
        assert time.monotonic() - began < SOON
        assert list(client.scan_iter(f"payman:*:{name}*")) == []


def test_a_real_server_that_forbids_scripts(redis_url: str, name: str, client: redis.Redis) -> None:
    """What an access list forbids is found out as well, also while a store is in use."""
    user = f"user-{next(_NUMBERS)}"
    client.acl_setuser(user, enabled=True, passwords=["+word"], keys=["*"], commands=["+@all"])
    try:
        with redis.Redis.from_url(redis_url, username=user, password="word") as limited:
            store = RedisTokenStore(limited, name=name)
            saved(store)
            assert store.lock.acquire(timeout=60)
            client.acl_setuser(user, commands=["-@scripting"])
            store.save(TOKEN)
            store.lock.release()
            began = time.monotonic()
            saved(RedisTokenStore(limited, name=name))
            assert time.monotonic() - began < SOON
    finally:
        client.acl_deluser(user)


def test_an_answer_that_got_lost_leaves_no_lock_to_nobody(redis_url: str, name: str) -> None:
    """A lock whose taking was carried out, though the answer was lost and the client asked again, is held: nobody waits for it to expire."""
    lost: list[bytes] = []

    def lose_first_set(request: bytes) -> Any:
        if "SET" in named(request) and not lost:
            lost.append(request)
            return "lose"
        return "pass"

    with proxying(redis_url, lose_first_set) as url:
        began = time.monotonic()
        saved(RedisTokenStore(url, name=name))
        assert time.monotonic() - began < SOON
    assert lost


def test_a_lock_that_an_earlier_attempt_may_have_taken_is_taken_over(client: redis.Redis, name: str) -> None:
    """A lock that holds the value of the holder's own unanswered attempt is its lock; that of anybody else is not."""
    client.set(name, "mine", px=60_000)
    for unanswered, is_taken in ((["another's"], False), (["mine", "another's"], True)):
        lease = _redis_access.Lease.acquire(client, name, seconds=60, timeout=0, unanswered=unanswered)
        assert (lease is not None) is is_taken
        assert bool(unanswered) is not is_taken
    assert lease is not None
    lease.release()
    assert client.get(name) is None


def test_a_server_that_does_not_answer_is_named_in_time(
    redis_url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a server does not answer, the wait is bounded, and the error says which store failed."""
    monkeypatch.setattr(_redis_access, "_PATIENCE", 0.2)
    for command in ("GET", "SET", "EVAL", "HELLO", "CLIENT"):

        def fate(request: bytes, command: str = command) -> Fate:
            return "silence" if command in named(request) else "pass"

        with proxying(redis_url, fate) as url:
            store, began = RedisTokenStore(url, name=name), time.monotonic()
            with contextlib.suppress(TokenStoreError):
                store.load()
            try:
                saved(store)
            except TokenStoreError as error:
                assert f"payman:token:{name}" in str(error)
            assert time.monotonic() - began < SOON, command
        with redis.Redis.from_url(redis_url) as client:
            client.delete(f"payman:token:{name}:lock")
