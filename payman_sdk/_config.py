"""A client's settings, from a dict and keywords; `environment.py` has those from the environment.

Everything is checked here, before any request; what is wrong is a `ConfigurationError` that names the field and the fix.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar, cast

from payman_api import SERVERS
from payman_sdk._annotations import NamedTuple
from payman_sdk._refusals import describe_type, describe_value, refuse
from payman_sdk._secrets import SecretStr, is_secret_header
from payman_sdk._url import HTTP_HOSTS_VARIABLE, find_url_problem, format_url, normalize_url, read_http_hosts
from payman_sdk.errors import ConfigurationError

Resend: TypeAlias = Literal["after_settling", "never"]
"""Whether an ask whose first send may have arrived is ever sent a second time."""

N = TypeVar("N", int, float)

BASE_URL_VARIABLE = "PAYMAN_BASE_URL"
VARIABLES = {
    "client_id": "PAYMAN_CLIENT_ID",
    "client_secret": "PAYMAN_CLIENT_SECRET",
    "environment": "PAYMAN_ENVIRONMENT",
    "base_url": BASE_URL_VARIABLE,
}
"""The settings that the environment may give, and the names of the variables."""

_DEFAULT_SECONDS = {"connect_timeout": 5.0, "read_timeout": 60.0, "timeout": 300.0, "idle_timeout": 60.0}
_SECONDS = "number of seconds above zero and below 24 days"
_SHORTEST = 1e-300  # above zero, also where a program has the processor take the smallest numbers for zero
_DEFAULT_SETTLE_TIME = 30.0
_MOST_RETRIES = 1000
_RETRIES = f"whole number from 0 to {_MOST_RETRIES}"
_RESEND: tuple[Resend, ...] = ("after_settling", "never")
_ANSWER_BYTES, _EVENT_BYTES = 64 * 1024 * 1024, 16 * 1024 * 1024
_BYTES = "number of bytes above zero"
_TOO_LONG = 2**31 / 1000
"""Seconds from which sockets cannot count, about 24 days: they hold milliseconds in 32 bits."""
_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"
_OWN_HEADER = (
    r"(?i:authorization|user-agent|host|date|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|last-event-id"
    r"|(?:accept|content|proxy|sec|x-payman)(?:-.*)?)"
)
"""What the SDK, its HTTP client or a proxy decides by."""


class Config(NamedTuple):
    """A client's settings, checked. Times are in seconds."""

    client_id: str
    client_secret: SecretStr | None
    base_url: str
    name: str | None
    session_id: str | None
    connect_timeout: float
    read_timeout: float
    timeout: float
    idle_timeout: float
    max_retries: int
    settle_time: float
    resend: Resend
    on_retry: Callable[[Any], Any] | None
    before_send: Callable[[Any], Any] | None
    transport: Any = None
    on_token: Callable[[Any], Any] | None = None
    on_task: Callable[[Any], Any] | None = None
    telemetry: Any = None
    key_store: Any = None
    max_answer_bytes: int = _ANSWER_BYTES
    max_event_bytes: int = _EVENT_BYTES
    default_headers: Mapping[str, str] = MappingProxyType({})
    proxy: SecretStr | None = None
    verify: Any = None
    allow_http_hosts: frozenset[str] = frozenset()
    file_server: str = ""
    """What in a file names the server, if nothing else does and it is not Payman's."""


SETTINGS = frozenset({*Config._fields, "environment"} - {"file_server"})
"""The settings that a client takes; `PaymanConfig` has their types."""


def read_config(
    config: Mapping[str, Any] | None, keywords: Mapping[str, Any], sources: Mapping[str, str] | None = None
) -> Config:
    """Return the settings of a client from a dict, keywords, or both; a keyword wins, and None means not given.

    Where neither names a `base_url`, the environment variable PAYMAN_BASE_URL does. Without it, `environment` names the server, or
    else PAYMAN_ENVIRONMENT. PAYMAN_ALLOW_HTTP_HOSTS counts in the same way. Errors call a setting what `sources` call it.
    """
    given, names = _merge(config, keywords), {name: name for name in SETTINGS} | dict(sources or {})
    for setting in ("base_url", "environment"):
        value = os.environ.get(VARIABLES[setting], "").strip()
        if value and setting not in given and "base_url" not in given:
            given[setting], names[setting] = value, f"{VARIABLES[setting]} in the environment"
    environment = (read_text(given.get("environment", "LIVE"), names["environment"]) or "").upper()
    if environment not in SERVERS:
        problem = f"is {environment!r}, which Payman does not have"
        fix = f"Use one of {', '.join(SERVERS)}, or name a server with base_url."
        refuse(names["environment"], problem, fix)
    base_url = read_text(given.get("base_url", SERVERS[environment]), names["base_url"]) or ""
    http_hosts = choose_http_hosts(given.get("allow_http_hosts"))
    client_id = require_text(read_text(given.get("client_id"), names["client_id"]), "client_id")
    if ":" in client_id:
        problem = "contains a colon, which HTTP Basic authentication cannot carry"
        refuse(names["client_id"], problem, "Check that the id and the secret were not pasted together.")
    if problems := find_url_problem(base_url, http_hosts):
        refuse(names["base_url"], *problems)
    return Config(
        client_id=client_id,
        base_url=normalize_url(base_url),
        allow_http_hosts=http_hosts,
        **{name: read(given.get(name), names[name]) for name, read in READERS.items()},
    )


def choose_http_hosts(given: object) -> frozenset[str]:
    """Return the hosts that may be reached over plain http: those given, or those of the environment for None."""
    if given is not None:
        return read_http_hosts(given)
    return read_http_hosts(os.environ.get(HTTP_HOSTS_VARIABLE), f"{HTTP_HOSTS_VARIABLE} in the environment")


def change_config(config: Config, changes: Mapping[str, Any]) -> Config:
    """Return the settings with some of them changed; headers are added to those that are there."""
    kept = {"client_id": config.client_id, "base_url": SERVERS["LIVE"]}  # its own was checked before
    checked = read_config(kept, changes)
    check_headers(config, checked.default_headers, "default_headers")
    changed = {name: getattr(checked, name) for name in changes}
    changed["default_headers"] = {**config.default_headers, **checked.default_headers}
    return config._replace(**changed)


def _read_number(
    value: Any, name: str, default: N, *, least: float, below: float = float("inf"), what: str
) -> N:
    """Return a number within limits, whole where the default is; the default for None."""
    if value is None:
        return default
    kinds = int if isinstance(default, int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value < below:
        raise ConfigurationError(f"{name} is {describe_value(value)}.", next_step=f"Give a {what}.")
    return type(default)(value)


def read_seconds(value: object, name: str, default: float, *, least: float = _SHORTEST) -> float:
    """Return a duration in seconds, above zero and no more than sockets can count, or the default for None."""
    return _read_number(value, name, default, least=least, below=_TOO_LONG, what=_SECONDS)


def read_resend(value: object, name: str) -> Resend:
    """Return whether an ask that may have arrived is sent again, the default for None."""
    for known in _RESEND:
        if value in (None, known):
            return known
    raise ConfigurationError(
        f"{name} is {describe_value(value)}.", next_step="Use 'after_settling' or 'never'."
    )


def check_hook(value: Any, name: str) -> Any:
    """Return a hook, or None; refuse what cannot be called."""
    if value is not None and not callable(value):
        refuse(name, f"is {describe_type(value)}", "Give a function of one argument.")
    return value


def refuse_unknown(given: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    """Refuse keys that are not known, with the nearest one that is."""
    for key in given:
        if key not in known:
            import difflib

            near = difflib.get_close_matches(str(key), sorted(known), n=1)
            fix = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(sorted(known))}."
            refuse(repr(key), f"is not {what}", fix)


def _merge(config: Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> dict[str, Any]:
    if config is not None and not isinstance(config, Mapping):
        problem = f"is {describe_type(config)}"
        refuse("config", problem, "Give a dict, or use keywords: client_id=…, client_secret=….")
    given: dict[str, Any] = {}
    for source in (config or {}, keywords):
        refuse_unknown(source, SETTINGS, "a setting of the client")
        given.update({key: value for key, value in source.items() if value is not None})
    return given


def read_text(value: object, name: str) -> str | None:
    """Return a text setting without the white space around it; None if it was not given or is blank."""
    if value is None:
        return None
    if not isinstance(value, str):
        refuse(name, f"is {describe_type(value)}", "Give a string.")
    value = value.strip()
    if not value.isprintable():
        refuse(name, "contains a control character", "Check how it was copied or read from its file.")
    return value or None


def _read_secret(value: object, name: str) -> SecretStr | None:
    text = read_text(value, name)
    return None if text is None else SecretStr(text)


def require_text(value: object, name: str) -> str:
    """Return a text setting, which must be given."""
    text = read_text(value, name)
    if text is None:
        fix = f"Pass it in the config, or set {VARIABLES[name]} and use PaymanClient.from_env()."
        refuse(name, "is missing or blank", fix)
    return text


def check_methods(store: object, name: str, methods: tuple[str, ...], use: str, next_step: str) -> None:
    """Refuse a store without these methods, and the class of one; None means not given."""
    if isinstance(store, type):
        refuse(name, f"is the class {store.__name__}", "Give an object of it.")
    if store is not None and not all(callable(getattr(store, method, None)) for method in methods):
        refuse(name, f"is {describe_type(store)}, which cannot {use}", next_step)


def check_key_store(store: object, name: str) -> object:
    """Return a key store, or None; refuse what cannot record keys."""
    methods = ("load", "claim", "forget")
    check_methods(store, name, methods, "record keys", "See payman_sdk.types.KeyStore.")
    return store


def read_headers(value: object, name: str) -> dict[str, str]:
    """Return headers of the program's, by their names in lower case; the values of those that open something as secrets."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        refuse(name, f"is {describe_type(value)}", "Give a dict.")
    headers: dict[str, str] = {}
    for key, text in cast("Mapping[object, object]", value).items():
        if not isinstance(key, str) or not re.fullmatch(_HEADER_NAME, key):
            problem = "is not the name of a header"
        elif re.fullmatch(_OWN_HEADER, key):
            problem = "is a header that the SDK sets itself"
        elif not isinstance(text, str):
            problem = f"is {describe_type(text)}"
        elif not text.isascii() or not text.isprintable() or text != text.strip():
            problem = "holds characters that a header cannot carry: a line break, a control character, a letter outside ASCII, or surrounding space"
        else:
            secret = SecretStr(text)
            headers[key.lower()] = secret if is_secret_header(key) else secret.reveal()
            continue
        fix = "Leave it out." if "itself" in problem else "Give names and values of plain ASCII text."
        raise ConfigurationError(f"{name}: {key!r} {problem}."[:300], next_step=fix)
    return headers


def check_headers(config: Config, headers: Mapping[str, str], source: str) -> None:
    """Refuse secrets of the program's for a server that only a file in the working directory names."""
    for name, value in headers.items():
        if config.file_server and isinstance(value, SecretStr):
            server = f"{format_url(config.base_url)}, from {config.file_server},"
            problem = f"gets no credentials from another source, and there is {name!r} of {source}"
            refuse(server, problem, "Leave it out, or name the server in the environment or in the program.")


def _check_verify(value: Any, name: str) -> Any:
    """Return whom to trust; refuse what is neither certificates nor a path. Importing `ssl` takes a while."""
    ssl = sys.modules.get("ssl")  # whoever has a context has imported it
    kinds = (str, os.PathLike) if ssl is None else (str, os.PathLike, ssl.SSLContext)
    if value is not None and value is not True and not isinstance(value, kinds):
        fix = "Give an ssl.SSLContext, or the path of a file of certificates; the SDK always verifies."
        refuse(name, f"is {describe_value(value)}", fix)
    return value


READERS: dict[str, Callable[[Any, str], Any]] = {
    "client_secret": _read_secret,
    **dict.fromkeys(("name", "session_id"), read_text),
    **{name: partial(read_seconds, default=seconds) for name, seconds in _DEFAULT_SECONDS.items()},
    "max_retries": partial(_read_number, default=2, least=0, below=_MOST_RETRIES + 1, what=_RETRIES),
    "settle_time": lambda value, name: read_seconds(value, name, _DEFAULT_SETTLE_TIME, least=0.0),
    "resend": read_resend,
    **dict.fromkeys(("on_retry", "before_send", "on_token", "on_task"), check_hook),
    "key_store": check_key_store,
    "max_answer_bytes": partial(_read_number, default=_ANSWER_BYTES, least=1, what=_BYTES),
    "max_event_bytes": partial(_read_number, default=_EVENT_BYTES, least=1, what=_BYTES),
    "default_headers": read_headers,
    "proxy": _read_secret,
    "verify": _check_verify,
    **dict.fromkeys(("transport", "telemetry"), lambda value, _: value),  # checked by who uses them
}
"""What checks each setting, given the value and the name, and returns it as it is kept; for None, the default."""
