"""The store in PostgreSQL on servers, databases and poolers that are set up in other ways than most."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from payman_sdk.agents import Operation, OperationStoreError, PaymanToolkit
from payman_sdk.agents.stores.postgres import PostgresOperationStore
from payman_sdk.sandbox import Sandbox
from payman_sdk.token_stores import PostgresTokenStore, StoredToken
from tests import postgres_server
from tests.agents.conftest import PAYMENT
from tests.agents.transaction_pooler import TransactionPooler

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    """A database of this module, with the tables of the store."""
    with postgres_server.make_database(postgres_url, "payman settings") as address:
        PostgresOperationStore(address).load("tsk-1")
        yield address


def set_up(address: str, *settings: str) -> str:
    """Return an address whose sessions have these settings."""
    return make_conninfo(address, options=" ".join(f"-c{one}" for one in settings))


def call(*functions: object) -> list[BaseException]:
    """Call functions at once, and return what they raise."""
    raised = list[BaseException]()

    def run(function: object) -> None:
        try:
            function()  # type: ignore[operator]
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return raised


def test_every_encoding_and_isolation_keeps_everything(postgres_url: str, database: str) -> None:
    """Whatever a database can hold, it keeps texts as they are; whatever isolates transactions, those of stores do not fail of it."""
    kept = Operation(
        task_id="tsk-1", account="a", name="Zoë", memo="\U0001f600", answer="\ud800 \0 ✓", runs=["é"]
    )
    token = StoredToken("pm-1", "access", 0.0, 1.0)
    for encoding in ("SQL_ASCII", "LATIN1", "UTF8"):
        more = f"ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        with postgres_server.make_database(postgres_url, f"payman {encoding}", more) as address:
            store = PostgresOperationStore(address, name="Zoë")
            store.save(kept)
            assert (store.load("tsk-1"), store.list_by_run("é")) == (kept, [kept]), encoding
            tokens = PostgresTokenStore(address, name="Zoë")
            assert tokens.lock.acquire(timeout=0)
            tokens.save(token)
            assert tokens.load() == token, encoding
            tokens.lock.release()
            del store, tokens  # their connections end
    for isolation in ("serializable", "repeatable\\ read"):
        store = PostgresOperationStore(set_up(database, f"default_transaction_isolation={isolation}"))

        def save(number: int, store: PostgresOperationStore = store, run: str = isolation) -> None:
            for one in range(5):
                store.save(Operation(task_id=f"{run} {number} {one}", account="a", stage="sent", runs=[run]))

        assert call(*[lambda number=number: save(number) for number in range(4)]) == [], isolation
        assert (store.sum_run(isolation).payments, len(store.list_by_run(isolation))) == (20, 20)


def test_what_a_server_refuses_is_not_sent(database: str, tmp_path: Path) -> None:
    """Where a record cannot be written, nothing is sent; the error says why, and where it is a right, which one."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE poor LOGIN")
        connection.execute("CREATE ROLE reads LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reads")
    read_only = set_up(database, "default_transaction_read_only=on")
    places = {
        "a replica": (read_only, "read-only"),
        "a replica behind a function": (lambda: psycopg.connect(read_only), "read-only transaction"),
        "a statement that takes long": (set_up(database, "statement_timeout=50"), "statement timeout"),
        "a lock that takes long": (set_up(database, "lock_timeout=50"), "lock timeout"),
        "a schema that is not there": (set_up(database, "search_path=nowhere"), "no schema"),
        "a user without rights": (make_conninfo(database, user="poor"), "permission denied"),
        "a user who only reads": (make_conninfo(database, user="reads"), "permission denied"),
        "no such user": (make_conninfo(database, user="nobody", password="s3cret"), '"nobody" does not exist'),
        "no such database": (make_conninfo(database, dbname="none", password="s3cret"), '"none" does not exist'),
    }  # fmt: skip
    with Sandbox() as sandbox, sandbox.client() as client, psycopg.connect(database) as blocking:
        blocking.execute("LOCK TABLE payman_operations IN SHARE MODE")  # others read, and do not write
        for name, (place, reason) in places.items():
            toolkit = PaymanToolkit(client, run_id="monday", store=PostgresOperationStore(place))  # type: ignore[arg-type]
            result = toolkit.pay(*PAYMENT, operation="a")
            assert (result.status, reason in result.text) == ("not-sent", True), (name, result.text)
            with pytest.raises(OperationStoreError) as raised:
                PostgresOperationStore(place).save(Operation(task_id="tsk-1", account="a"))  # type: ignore[arg-type]
            assert "s3cret" not in f"{result.text} {raised.value!r}", name
            assert ("Grant this user SELECT" in raised.value.next_step) is (reason == "permission denied"), (
                name
            )
        blocking.rollback()
        assert sandbox.payments == []
        toolkit = PaymanToolkit(client, run_id="monday", store=PostgresOperationStore(database))
        assert toolkit.pay(*PAYMENT, operation="a").status == "paid"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP OWNED BY reads, poor; DROP ROLE reads, poor")


def test_stores_that_begin_at_once(postgres_url: str) -> None:
    """Many processes make the tables at the same time, and none of them fails."""
    with postgres_server.make_database(postgres_url, "payman new") as address:
        stores = [PostgresOperationStore(address) for _ in range(8)]
        assert call(*[lambda one=one: one.load("tsk-1") for one in stores]) == []
        stores.clear()


def test_a_process_with_many_open_files(database: str) -> None:
    """The store keeps its connection where descriptors have numbers that `select` cannot take."""
    resource = pytest.importorskip("resource")
    store, kept = PostgresOperationStore(database), Operation(task_id="tsk-9", account="a")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as opened:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2048)), hard))
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while opened.enter_context(Path(os.devnull).open("rb")).fileno() < 1100:
            pass
        for _ in range(3):
            store.save(kept)
        assert store.load("tsk-9") == kept


@pytest.mark.skipif(postgres_server.NAMED is not None, reason="the server is not of the tests")
def test_a_commit_that_no_standby_has_confirmed(postgres_url: str, database: str) -> None:
    """The server only warns where a COMMIT that waits for a standby is cancelled; the store takes that for a failure."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        waiting = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        names = (
            "SELECT count(*) FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting = 'nobody'"
        )
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try:
            connection.execute("SELECT pg_reload_conf()")
            while connection.execute(names).fetchall() != [(1,)]:
                pass
            raised, store = list[BaseException](), PostgresOperationStore(database)
            cancelled: list[Any] = []
            # The first commits may not wait: another process of the server reads the setting for all of them.
            while not cancelled:
                operation = Operation(task_id=f"tsk-{uuid.uuid4()}", account="a")
                saving = threading.Thread(
                    target=lambda one: raised.extend(call(lambda: store.save(one))), args=[operation]
                )
                saving.start()
                while saving.is_alive():
                    cancelled += connection.execute(waiting).fetchall()
        finally:
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")
    assert [type(one) for one in raised] == [OperationStoreError]
    assert "COMMIT was not confirmed" in str(raised[0])


@pytest.mark.skipif(postgres_server.NAMED is not None, reason="the server is not of the tests")
def test_a_pooler_of_transactions(postgres_url: str) -> None:
    """Where each transaction has another session, as behind PgBouncer, locks hold, and each operation is paid once."""
    server = Path(str(conninfo_to_dict(postgres_url)["host"]))
    with tempfile.TemporaryDirectory(prefix="pb") as folder, Sandbox() as sandbox:
        with TransactionPooler(Path(folder), server) as pooler:
            address, said = make_conninfo(postgres_url, host=folder), Counter[str]()

            def pay() -> None:
                with sandbox.client() as client:
                    store = PostgresOperationStore(address, name=folder)
                    toolkit = PaymanToolkit(client, run_id="monday", store=store)
                    said.update(toolkit.pay(*PAYMENT, operation=f"{number}").status for number in range(3))

            assert call(*[pay] * 6) == []
            one, other = (PostgresTokenStore(address, name=folder) for _ in range(2))
            assert one.lock.acquire(timeout=0)
            assert not other.lock.acquire(timeout=0)
            one.save(StoredToken("pm-1", "access", 0.0, 1.0))
            one.lock.release()
            assert other.lock.acquire(timeout=60)
            other.lock.release()
        assert (said, len(sandbox.payments)) == ({"paid": 18}, 3)
        assert pooler.transactions > pooler.sessions
