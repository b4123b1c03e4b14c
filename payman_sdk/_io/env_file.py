"""The file `.env` in the working directory. Needs python-dotenv, which comes with the extra `dotenv`.

The folders above are not searched, no variable is expanded, and nothing is written into `os.environ`: the file may come with a
repository that somebody else wrote.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from payman_sdk._config import VARIABLES
from payman_sdk._secrets import SecretStr

_MOST = 1 << 20
"""Bytes of a file that are read."""
_PREFIX = "PAYMAN_"
_SECRET = VARIABLES["client_secret"]


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
    found = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return EnvFile(
        path,
        {
            name: SecretStr(value.strip()) if name == _SECRET else value.strip()
            for name, value in found.items()
            if name.startswith(_PREFIX) and value and value.strip()
        },
    )


def _find_path() -> Path | None:
    try:
        path = Path.cwd() / ".env"
        return path if path.is_file() else None
    except OSError:  # the working directory is gone, or may not be looked into
        return None
