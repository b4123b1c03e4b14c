"""A client's settings from environment variables and from the file `.env` in the working directory.

Reading the file needs python-dotenv, which comes with the extra `dotenv`. The folders above are not searched, no variable is
expanded, and nothing is written into `os.environ`: the file may come with a repository that somebody else wrote.
"""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from payman_api import SERVERS
from payman_sdk._config import VARIABLES
from payman_sdk._secrets import SecretStr
from payman_sdk._url import HTTP_HOSTS_SETTING, HTTP_HOSTS_VARIABLE, format_url, read_http_hosts
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._client.config_types import PaymanConfig


_MOST = 1 << 20
"""Bytes of a file that are read."""


class FoundSetting(NamedTuple):
    """A setting and its source in words, such as "PAYMAN_BASE_URL in the environment"; `is_from_file` for a file in the working directory."""

    value: str
    source: str
    is_from_file: bool = False

    def __repr__(self) -> str:
        return f"FoundSetting(source={self.source!r})"  # the value may be a secret


def is_payman_url(base_url: str) -> bool:
    """Whether an address is exactly that of a server of Payman's."""
    return base_url.removesuffix("/") in SERVERS.values()


def check_sources(server: FoundSetting, *credentials: FoundSetting | None) -> None:
    """Refuse a server whose credentials come from another source.

    Raises:
        ConfigurationError: The server is not one of Payman's, and something else named it than gave the credentials.
    """
    if is_payman_url(server.value):
        return
    for found in credentials:
        if found is not None and found.is_from_file != server.is_from_file:
            raise ConfigurationError(
                f"{format_url(server.value)}, from {server.source}, gets no credentials from another source,"
                f" and there is {found.source}.",
                next_step="Name the server where the credentials are: both in the environment, or both in the file.",
            )


class EnvFile(NamedTuple):
    """What the file holds.

    Args:
        path: Where it is.
        values: The variables of the SDK that are not empty, as they are written there.
        problem: Why it could not be read, in a sentence; empty where it was.
    """

    path: Path
    values: Mapping[str, str]
    problem: str = ""


def has_env_file() -> bool:
    """Whether there is such a file; what it holds is not read."""
    return _find_path() is not None


def read_env_file() -> EnvFile | None:
    """Read `.env` in the working directory.

    Returns:
        What it holds, or why it could not be read; None without such a file.
    """
    path = _find_path()
    if path is None:
        return None
    try:
        from dotenv import dotenv_values
    except ImportError:
        needed = "reading it needs python-dotenv: pip install 'paymanai-sdk[dotenv]'."
        return EnvFile(path, {}, f"There is {path}, but {needed}")
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
        if len(content) > _MOST:
            return EnvFile(path, {}, f"There is {path}, but it has more than {_MOST} bytes.")
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return EnvFile(path, {}, f"There is {path}, but it could not be read: {error}")
    with _hold_warnings() as warnings:
        parsed = dotenv_values(stream=io.StringIO(text), interpolate=False)
    values: dict[str, str] = {}
    for name, value in parsed.items():
        if name.startswith("PAYMAN_") and (stripped := (value or "").strip()):
            values[name] = SecretStr(stripped) if name == VARIABLES["client_secret"] else stripped
    begun = re.findall(r"(?m)^\s*(?:export\s+)?(PAYMAN_\w+)", text) if warnings else ()
    broken = [name for name in dict.fromkeys(begun) if name not in parsed]
    if broken:
        problem = f"There is {path}, but {' and '.join(broken)} in it cannot be read: write NAME=value."
        return EnvFile(path, {}, problem)
    return EnvFile(path, values)


@contextmanager
def _hold_warnings() -> Generator[list[logging.LogRecord]]:
    """Collect the warnings of python-dotenv in the block, instead of logging them."""
    log, held = logging.getLogger("dotenv.main"), list[logging.LogRecord]()

    def hold(record: logging.LogRecord) -> bool:
        held.append(record)
        return False

    log.addFilter(hold)
    try:
        yield held
    finally:
        log.removeFilter(hold)


def _find_path() -> Path | None:
    try:
        path = Path.cwd() / ".env"
        return path if path.is_file() else None
    except OSError:  # the working directory is gone, or may not be looked into
        return None


REST_KEY = "PAYMAN_API_SECRET"
ABOUT_REST_KEY = f"{REST_KEY} is set, which is the key of Payman's older REST API (the package paymanai) and does not work here."
INSTEAD_OF_REST_KEY = (
    "Register an application at app.paymanai.com under Developers, and set PAYMAN_CLIENT_ID and PAYMAN_CLIENT_SECRET to its id and "
    "secret; see docs/guides/from-paymanai.md."
)

_OF_THE_SERVER = ("base_url", "environment")


def load_env_config(
    settings: Mapping[str, Any], *, dotenv: bool = False
) -> tuple[PaymanConfig, dict[str, str], str]:
    """Complete the given settings from environment variables, and these from `.env` if that is wanted.

    A variable wins over the file. A server that the settings or a variable name, by either name, wins over any that the file
    names. Plain http that the file allows, by PAYMAN_ALLOW_HTTP_HOSTS, is for the server and the credentials of the file alone.

    Returns:
        The settings, and the sources in words of those that the program has not given. The third value is the source of the server
        if the file names it and it is not Payman's, else an empty text.
    """
    file = read_env_file() if dotenv else None
    values: Mapping[str, str] = file.values if file is not None else {}
    place = f"in {file.path}" if file is not None else ""
    found = {key: value for key in VARIABLES if (value := _find_own(settings, key)) is not None}
    has_server = any(key in found for key in _OF_THE_SERVER)
    for key, name in VARIABLES.items():
        if name in values and key not in found and not (has_server and key in _OF_THE_SERVER):
            found[key] = FoundSetting(values[name], f"{name} {place}", is_from_file=True)
    missing = [VARIABLES[key] for key in ("client_id", "client_secret") if key not in found]
    if missing:
        raise _build_missing_error(missing, file, dotenv=dotenv)
    server = found.get("base_url")
    file_server = ""
    if server is not None and isinstance(server.value, str):
        check_sources(server, found["client_id"], found["client_secret"])
        file_server = server.source if server.is_from_file and not is_payman_url(server.value) else ""
    known = {**settings, **{key: place.value for key, place in found.items()}}
    has_own = settings.get(HTTP_HOSTS_SETTING) is not None or os.environ.get(HTTP_HOSTS_VARIABLE, "").strip()
    of_file = [found[key].is_from_file for key in ("client_id", "client_secret", "base_url") if key in found]
    if HTTP_HOSTS_VARIABLE in values and not has_own and of_file == [True] * 3:
        hosts = read_http_hosts(values[HTTP_HOSTS_VARIABLE], f"{HTTP_HOSTS_VARIABLE} {place}")
        known[HTTP_HOSTS_SETTING] = sorted(hosts)
    sources = {key: place.source for key, place in found.items() if settings.get(key) is None}
    return cast("PaymanConfig", known), sources, file_server


def _find_own(settings: Mapping[str, Any], key: str) -> FoundSetting | None:
    """Return a setting that the program or its environment gives."""
    if (given := settings.get(key)) is not None:
        return FoundSetting(cast("str", given), f"the setting {key}")
    value = os.environ.get(VARIABLES[key], "").strip()
    source = f"{VARIABLES[key]} in the environment"
    return FoundSetting(SecretStr(value) if key == "client_secret" else value, source) if value else None


def _build_missing_error(names: list[str], file: EnvFile | None, *, dotenv: bool) -> ConfigurationError:
    """Return what is not set, and where to set it."""
    looked_in, next_step = "the environment", "Set it" if len(names) == 1 else "Set them"
    next_step += f", or put {'it' if len(names) == 1 else 'them'} into a file named .env and use from_env(dotenv=True)."
    if file is not None and file.problem:
        next_step = file.problem
    elif file is not None:
        looked_in += f" or {file.path}"
    elif dotenv:
        looked_in += ", and the working directory has no file .env"
    elif has_env_file():
        next_step = "There is a file .env in the working directory; from_env(dotenv=True) reads it."
    verb = "is" if len(names) == 1 else "are"
    message = f"{' and '.join(names)} {verb} not set in {looked_in}."
    if os.environ.get(REST_KEY, "").strip() or (file is not None and REST_KEY in file.values):
        message, next_step = f"{message} {ABOUT_REST_KEY}", INSTEAD_OF_REST_KEY
    return ConfigurationError(message, next_step=next_step)
