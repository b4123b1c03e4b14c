"""Tests of programs that use the SDK: fixtures for pytest, and recordings without secrets.

`payman_sdk.testing.plugin` has the fixtures, which pytest finds itself: a local Payman, its clients, and settings for cassettes.
`payman_sdk.testing.recording` keeps secrets out of cassettes. Install the extra `testing`: `pip install 'paymanai-sdk[testing]'`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payman_sdk.testing.recording import Recorder, SecretLeakError

__all__ = ["Recorder", "SecretLeakError"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module("payman_sdk.testing.recording"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(__all__)
