"""What all stores in PostgreSQL share: connections, tables and transactions."""

import contextlib
import selectors
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from payman_sdk._io.forks import renew_after_fork
from payman_sdk._io.token_store_access import call_within, get_time_left
from payman_sdk._refusals import build_missing_error, refuse
from payman_sdk._secrets import SecretStr, to_secret
from payman_sdk._url import is_loopback
from payman_sdk.errors import PaymanError

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
except ImportError as error:
    raise build_missing_error("Stores in PostgreSQL need psycopg", "postgres") from error

T = TypeVar("T")
Connection: TypeAlias = psycopg.Connection[Any]
Place: TypeAlias = str | Callable[[], Connection]
"""The address of a server, or a function that connects to one."""

_CONNECT_SECONDS = 5
_ANSWER = 30.0
"""Seconds that one step may take."""
_MOST_IDLE = 4
"""Connections of a store that are kept for the next step."""
_ENCRYPTED = ("require", "verify-ca", "verify-full")
_RIGHTS = "Grant this user SELECT, INSERT, UPDATE and DELETE on the tables payman_*, and at first CREATE on their schema."
_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS payman_operations (task_id TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payman_runs (run_id TEXT, task_id TEXT, PRIMARY KEY (run_id, task_id));
CREATE TABLE IF NOT EXISTS payman_totals (run_id TEXT PRIMARY KEY, totals TEXT NOT NULL) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS payman_tokens (name TEXT PRIMARY KEY, token TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payman_schema (version INTEGER PRIMARY KEY);
INSERT INTO payman_schema VALUES (1) ON CONFLICT DO NOTHING;
"""
# A database may confirm what is not on a disk yet; nothing may be sent that its next crash forgets.
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT set_config('synchronous_commit', 'on', true) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
)


class PostgresAccess:
    """The connections of one store. Every step takes an idle one, or makes one.

    It relies on the session only within a transaction, so a pooler may share connections by transactions.

    `given` is an address or a function that connects; the store's failures raise `error`. `allow_plaintext` lets the content cross
    a network unencrypted. Raises ConfigurationError for an unusable address, or one that allows plain text.
    """

    def __init__(self, given: Place, error: type[PaymanError], *, allow_plaintext: bool = False) -> None:
        given = to_secret(given)  # an address may hold a password
        if callable(given):
            self._connect = given
        else:
            address = _complete_address(given, allow_plaintext=allow_plaintext)
            if address is None:
                fix = "Give one such as postgresql://payman@db.example/payman?sslmode=verify-full."
                refuse("postgres", "is not the address of a PostgreSQL server", fix)
            if not address:
                fix = "Use sslmode=verify-full, or allow it by allow_plaintext=True where the network is your own."
                refuse("postgres", "would send secrets unencrypted to another machine", fix)
            self._connect = lambda: psycopg.connect(address.reveal())
        self._error, self._allow_plaintext, self._is_ready = error, allow_plaintext, False
        self._idle: deque[Connection] = deque()
        self._end = weakref.finalize(self, _close_all, self._idle)
        renew_after_fork(self)

    def begin_anew(self) -> None:
        """Leave the parent's connections to the parent: closing one would end its session."""
        inherited.append(self._idle)
        self._end.detach()
        self._idle = deque()
        self._end = weakref.finalize(self, _close_all, self._idle)

    def ask(self, function: Callable[[Connection], T], what: str) -> T:
        """Call a function with a connection that commits every statement at once; raises the store's error."""

        def call() -> T:
            connection = self.take()
            try:
                result = function(connection)
            except BaseException:
                connection.close()  # which also ends its transaction
                raise
            self.give_back(connection)
            return result

        return self.call(call, what)

    def write(self, function: Callable[[Connection], T], what: str) -> T:
        """Call a function in a transaction, which is on the disk when this returns; raises also if only the answer was lost."""

        def call(connection: Connection) -> T:
            connection.execute(_BEGIN)
            result, warnings = function(connection), list[Any]()
            connection.add_notice_handler(warnings.append)
            # Canceled while it waits for a standby, it only warns: what it has committed may be lost in a failover.
            if connection.execute("COMMIT").statusmessage != "COMMIT" or warnings:
                raise psycopg.OperationalError("COMMIT was not confirmed, so a failover may lose it")
            connection.remove_notice_handler(warnings.append)
            return result

        return self.ask(call, what)

    def call(self, function: Callable[[], T], what: str) -> T:
        """Call a function that asks PostgreSQL, within the time limit; an error becomes the store's, without the statement."""
        try:
            return call_within(function, get_time_left(_ANSWER), late=psycopg.OperationalError)
        except psycopg.Error as error:
            lacks_right = isinstance(error, psycopg.errors.InsufficientPrivilege)
            said = f"{what}: {error.diag.message_primary or error}."
            failure = self._error(said, next_step=_RIGHTS if lacks_right else "")
        raise failure  # out here, it carries no frames of the driver's with it, which hold the address and the token

    def take(self) -> Connection:
        while self._idle:
            with contextlib.suppress(IndexError, psycopg.Error):
                connection = self._idle.pop()
                with selectors.DefaultSelector() as waiting:  # `select.select` knows 1,024 descriptors
                    waiting.register(connection, selectors.EVENT_READ)
                    if not waiting.select(0):
                        return connection
                connection.close()  # the server has closed it
        connection = self._connect()
        try:
            connection.autocommit, connection.prepare_threshold = True, None
            is_safe = connection.pgconn.ssl_in_use or _is_local(connection.info.host)
            if not (is_safe or self._allow_plaintext):
                raise psycopg.OperationalError("the connection to another machine is not encrypted")
            if not self._is_ready:
                _prepare(connection)
                self._is_ready = True
        except BaseException:
            connection.close()
            raise
        return connection

    def give_back(self, connection: Connection) -> None:
        """End a connection's transaction, if any, and keep it for the next step, or close it."""
        try:
            connection.rollback()
        except psycopg.Error:
            connection.close()
        if len(self._idle) < _MOST_IDLE and not connection.closed:
            self._idle.append(connection)
        else:
            connection.close()


inherited: list[deque[Connection]] = []
"""Connections of a parent process, which only it may close."""


def _close_all(connections: deque[Connection]) -> None:
    while connections:
        connections.pop().close()


def make_key(*parts: str) -> str:
    """Return parts as one key that no other parts have and that a column can hold."""
    return " ".join(one.replace("%", "%25").replace(" ", "%20").replace("\0", "%00") for one in parts)


def _complete_address(given: object, *, allow_plaintext: bool) -> SecretStr | None:
    """Return an address with its defaults; None for an unusable one, an empty one if it allows plain text."""
    try:
        known: dict[str, Any] = conninfo_to_dict(SecretStr(given).reveal()) if isinstance(given, str) else {}
    except psycopg.Error:
        known = {}
    if not known:
        return None
    defaults = {one.keyword: one.val for one in psycopg.pq.Conninfo.get_defaults()}

    def get(name: str) -> str:
        return str(known.get(name) or (defaults.get(name.encode()) or b"").decode())

    # A replica that lags would say that nothing was sent.
    usual: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "target_session_attrs": "read-write"}
    usual |= {"keepalives_idle": 10, "tcp_user_timeout": 15_000}
    hosts = [host for name in ("host", "hostaddr") for host in get(name).split(",") if host]
    if not allow_plaintext and ("service" in known or not all(map(_is_local, hosts))):
        if known.get("sslmode", "require") not in _ENCRYPTED:
            return SecretStr("")
        usual["sslmode"] = get("sslmode") if get("sslmode") in _ENCRYPTED else "require"
    return SecretStr(make_conninfo("", **usual | known | {"client_encoding": "utf8"}))


def _is_local(host: str) -> bool:
    """Whether a host is this machine, or a socket of it."""
    return not host or host.startswith(("/", "@")) or is_loopback(host.lower())


def _prepare(connection: Connection) -> None:
    """Make the tables where they are missing, and refuse those of another version."""
    query = "SELECT max(version) FROM payman_schema"
    try:
        row = connection.execute(query).fetchone()
    except psycopg.errors.UndefinedTable:
        # One process at a time: CREATE TABLE IF NOT EXISTS fails where two make the same.
        connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock(7249637); {_TABLES} COMMIT".encode())
        row = connection.execute(query).fetchone()
    if row is None or row[0] != _VERSION:
        raise psycopg.DatabaseError(
            f"the tables have version {row and row[0]}, which this version of the SDK does not know"
        )
