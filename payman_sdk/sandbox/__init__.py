"""A local Payman for development and tests: real HTTP, an agent that follows rules, and money that exists nowhere else.

It needs the extra `sandbox`: `pip install 'paymanai-sdk[sandbox]'`. Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payman_sdk.sandbox._ledger.ledger import LedgerRow, UnbalancedError
    from payman_sdk.sandbox._ledger.payments import SandboxPayment
    from payman_sdk.sandbox._oauth.oauth_service import TokenRequest
    from payman_sdk.sandbox._server.request_log import SandboxRequest
    from payman_sdk.sandbox._server.server import Sandbox
    from payman_sdk.sandbox._server.stream_faults import StreamFault
    from payman_sdk.sandbox.scripting import ConnectionLost, HTTPError, RPCError, ScriptedResponse

__all__ = [
    "ConnectionLost",
    "HTTPError",
    "LedgerRow",
    "RPCError",
    "Sandbox",
    "SandboxPayment",
    "SandboxRequest",
    "ScriptedResponse",
    "StreamFault",
    "TokenRequest",
    "UnbalancedError",
]

_HOMES = {
    name: home
    for home, names in {
        "_ledger.ledger": "LedgerRow UnbalancedError",
        "_ledger.payments": "SandboxPayment",
        "_oauth.oauth_service": "TokenRequest",
        "_server.request_log": "SandboxRequest",
        "_server.server": "Sandbox",
        "_server.stream_faults": "StreamFault",
        "scripting": "ConnectionLost HTTPError RPCError ScriptedResponse",
    }.items()
    for name in names.split()
}


_NEEDED = {"starlette", "uvicorn", "anyio", "jinja2", "markupsafe"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _NEEDED:
            raise
        raise ImportError(
            f"the sandbox needs {missing.name}: pip install 'paymanai-sdk[sandbox]'", name=missing.name
        ) from missing
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
