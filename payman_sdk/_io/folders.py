"""The user's folders for files of the SDK. Needs platformdirs, which comes with the extra `file`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from payman_sdk.errors import ConfigurationError


def find_user_folder(kind: Literal["config", "state"]) -> Path:
    """Return the user's folder for settings and tokens (`config`), or for records (`state`).

    Raises:
        ConfigurationError: The user has no home folder, or platformdirs is not installed.
    """
    try:
        import platformdirs
    except ImportError as error:
        raise ConfigurationError(
            "Keeping files in the usual place needs platformdirs.",
            next_step="Install it: pip install 'paymanai-sdk[file]'.",
        ) from error
    find = platformdirs.user_config_path if kind == "config" else platformdirs.user_state_path
    try:
        folder = find("payman", appauthor=False)
    except RuntimeError:  # older versions return a path that begins with ~ instead
        folder = Path("~")
    if not folder.is_absolute():
        raise ConfigurationError(
            "This user has no home folder to keep files in.",
            next_step=f"Set HOME or XDG_{kind.upper()}_HOME to a folder of this user's, or name a file.",
        )
    return folder
