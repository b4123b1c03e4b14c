from __future__ import annotations

import errno
import gc
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from payman_sdk.sandbox import Sandbox
from tests.sandbox.wire_client import WireClient
from tests.tables import table


def test_account_is_as_payman_gives_it(shared: Sandbox) -> None:
    """A new account has 1000 TSD and no payments."""
    client_id, _ = shared.add_client()
    assert shared.balance("TSD", client_id=client_id) == Decimal("1000.00")
    assert not [payment for payment in shared.payments if payment.client_id == client_id]


def test_made_credentials_look_like_paymans() -> None:
    """A client that is made for the sandbox has an id like Payman's, and two sandboxes have different ones."""
    first, second = Sandbox(), Sandbox()
    assert first.client_id.startswith("pm-test-")
    assert first.client_id != second.client_id
    assert first.client_secret != second.client_secret


def test_given_chance_gives_the_same_ids() -> None:
    """With the same source of chance, ids and secrets come out the same."""
    first, second = (Sandbox(randomness=Random(7).randbytes) for _ in range(2))  # noqa: S311 (it has to repeat itself)
    assert (first.client_id, first.client_secret) == (second.client_id, second.client_secret)


def test_sandboxes_do_not_know_each_other(shared: Sandbox) -> None:
    """Several sandboxes run at once, and the credentials of one are nothing to the other."""
    with Sandbox() as other:
        assert other.base_url != shared.base_url
        answer = httpx.post(
            f"{other.base_url}/api/oauth2/token?grant_type=client_credentials",
            auth=(shared.client_id, shared.client_secret),
        )
        assert answer.status_code == 401


def test_stop_ends_the_thread_and_frees_the_port() -> None:
    """After `with`, nothing runs and nobody listens; the sandbox still tells what happened."""
    before = set(threading.enumerate())
    with Sandbox() as sandbox:
        url = sandbox.base_url
    assert not set(threading.enumerate()) - before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    assert sandbox.balance() == 1000


def test_restart_is_an_outage() -> None:
    """A sandbox that is started again is at the same address and has forgotten nothing, tokens included."""
    sandbox = Sandbox()
    with sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        wire_client = WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
        wire_client.ask("send 10 TSD to Test Payee")
        address = sandbox.base_url
    with sandbox, httpx.Client(base_url=address) as http:
        assert sandbox.base_url == address
        wire_client.http = http
        wire_client.ask("send 10 TSD to Test Payee")
    assert sandbox.balance() == 980


def test_stop_ends_connections_that_were_just_accepted() -> None:
    """Whoever connects while the sandbox stops is hung up on, and does not wait for an answer until its own timeout."""
    for _ in range(8):
        with Sandbox() as sandbox:
            place = ("127.0.0.1", int(sandbox.base_url.rpartition(":")[2]))
            stopping, opened = threading.Thread(target=sandbox.stop), list[socket.socket]()
            with suppress(ConnectionError):
                for number in range(40):
                    if number == 20:
                        stopping.start()
                    opened.append(socket.create_connection(place, 60))
            stopping.join()
        for connection in opened:
            with connection, suppress(ConnectionError):
                connection.settimeout(5)
                connection.send(b"G")  # Linux resets some of those that nobody accepted only when they send
                assert connection.recv(1) == b""


def test_stop_twice_and_start_twice_are_harmless() -> None:
    """Starting what runs and stopping what does not changes nothing."""
    sandbox = Sandbox().start()
    url = sandbox.base_url
    assert sandbox.start().base_url == url
    sandbox.stop()
    sandbox.stop()
    sandbox.close()
    sandbox.close()


def test_address_before_start_says_what_to_do() -> None:
    """Before it is started the sandbox has no address, and says how to get one."""
    with pytest.raises(RuntimeError, match="with Sandbox"):
        _ = Sandbox().base_url


def test_host_that_others_could_reach_is_refused() -> None:
    """A sandbox does not listen where other machines could reach it, unless it is given the names they may use."""
    with pytest.raises(ValueError, match=r"lets other machines in: name the hosts .* allow_hosts"):
        Sandbox(host="0.0.0.0")  # noqa: S104 (this is what is refused)


@pytest.mark.parametrize("clients", [{"": "s"}, {"a": ""}, {"a:b": "s"}])
def test_credentials_that_cannot_be_are_refused(clients: dict[str, str]) -> None:
    """An empty id or secret, and an id that HTTP Basic cannot carry, are refused when the sandbox is made."""
    with pytest.raises(ValueError, match="clients"):
        Sandbox(clients=clients)


@table("port", [99999, 65536, -1, True, "8642", 80.5, None])
def test_a_port_that_is_none_is_refused(port: Any) -> None:
    """What is no number of a port is refused when the sandbox is made, and the message names it."""
    with pytest.raises(ValueError, match=f"port must be a whole number .*, not {re.escape(repr(port))}"):
        Sandbox(port=port)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_taken_port_is_named(host: str) -> None:
    """A port that somebody else has is an OSError with the port and the fix, at once; no thread and no socket is left."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    before = set(threading.enumerate())
    with socket.create_server((host, 0), family=family) as taken:
        port = taken.getsockname()[1]
        said = f"cannot serve on port {port}: .*use another port, 0 for a free one"
        with pytest.raises(OSError, match=said) as caught:
            Sandbox(port=port, host=host).start()
        assert caught.value.errno == errno.EADDRINUSE
        with pytest.raises(OSError, match=said), Sandbox(port=port, host=host):
            pass
    assert not set(threading.enumerate()) - before  # those of earlier tests may end meanwhile
    gc.collect()  # an open socket would be a warning now, and so a failure


def test_first_of_several_clients_is_the_sandboxes_own() -> None:
    """Of several clients the first is `client_id`; each has its own account."""
    sandbox = Sandbox(clients={"one": "s1", "two": "s2"})
    assert (sandbox.client_id, sandbox.client_secret) == ("one", "s1")
    assert sandbox.balance(client_id="two") == 1000
    with pytest.raises(LookupError, match="unknown client three"):
        sandbox.balance(client_id="three")
    with pytest.raises(LookupError, match="client one has no EUR wallet"):
        sandbox.balance("EUR")


def test_file_keeps_everything(tmp_path: Path) -> None:
    """With `db`, the client, its secret, its token, its payments and its tasks are there in the next process."""
    db = tmp_path / "payman.db"
    with Sandbox(db=db) as first, httpx.Client(base_url=first.base_url) as http:
        wire_client = WireClient(first, first.client_id, first.client_secret, http)
        task = wire_client.send("send 25 TSD to Test Payee for lunch", "tsk-kept")
    first.close()
    with Sandbox(db=db) as second, httpx.Client(base_url=second.base_url) as http:
        assert (second.client_id, second.client_secret) == (first.client_id, first.client_secret)
        wire_client.http = http
        assert wire_client.send("send 25 TSD to Test Payee for lunch", "tsk-kept") == task
        assert [payment.description for payment in second.payments] == ["lunch"]
        assert second.balance() == 975
        second.check_invariants()
    second.close()


def test_foreign_database_is_left_alone(tmp_path: Path) -> None:
    """A database that another program made is refused and not written to."""
    import sqlite3

    db = tmp_path / "other.db"
    connection = sqlite3.connect(db)
    connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    before = db.read_bytes()
    with pytest.raises(ValueError, match="another program's database"):
        Sandbox(db=db)
    assert db.read_bytes() == before


def test_forgotten_sandbox_leaves_no_open_database(recwarn: pytest.WarningsRecorder) -> None:
    """A sandbox that nobody closed closes its database itself."""
    Sandbox()
    gc.collect()
    assert not recwarn.list


@pytest.mark.slow
def test_missing_extra_says_what_to_install() -> None:
    """Without Starlette the import says which extra to install; importing the package alone needs nothing."""
    program = (
        "import sys; sys.modules['starlette.applications'] = None\n"
        "import payman_sdk.sandbox\n"
        "try: payman_sdk.sandbox.Sandbox\n"
        "except ImportError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "pip install 'paymanai-sdk[sandbox]'" in said


def test_client_is_connected() -> None:
    """`client()` gives a PaymanClient that talks to this sandbox."""
    with Sandbox() as sandbox, sandbox.client(name="test") as client:
        client.ask("send 10 TSD to Test Payee")
        [payment] = sandbox.payments
        assert (int(payment.amount), payment.client_id) == (10, sandbox.client_id)


def test_stop_while_requests_are_under_way() -> None:
    """Stopping in the middle of traffic ends, and the ledger is whole."""
    sandbox = Sandbox().start()
    http = httpx.Client(base_url=sandbox.base_url)
    wire_client = WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
    first = threading.Event()

    def pay() -> None:
        try:
            while True:
                wire_client.ask("send 0.01 TSD to Test Payee")
                first.set()
        except httpx.TransportError:
            pass

    thread = threading.Thread(target=pay)
    thread.start()
    assert first.wait(60)
    sandbox.stop()
    thread.join(60)
    assert not thread.is_alive()
    http.close()
    sandbox.check_invariants()


def test_answers_do_not_wait_for_the_network(wire_client: WireClient) -> None:
    """An ask takes no 40 ms, which is what it takes where small packets are held back."""
    took: list[float] = []
    for _ in range(20):
        start = time.perf_counter()
        wire_client.ask("hello")
        took.append(time.perf_counter() - start)
    assert min(took) < 0.03
