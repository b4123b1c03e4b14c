"""A client library for accessing Payman API.

Written from spec/payman.openapi.yaml by scripts/regenerate; edits are lost.

Attributes:
    SERVERS: The base URL of each environment.
    AUTHORIZATION_SERVER: The base URL of the consent page.
    ACCESS_TOKEN_HEADER: The header that carries the access token.
    PATHS: The path of each operation, by its operationId.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client

SERVERS: Mapping[str, str] = MappingProxyType(
    {
        "LIVE": "https://agent.payman.ai",
        "TEST": "https://agent.payman.dev",
        "INTERNAL": "https://payman.ngrok.dev",
    }
)
AUTHORIZATION_SERVER = "https://app.paymanai.com"
ACCESS_TOKEN_HEADER = "x-payman-access-token"
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "create_token": "/api/oauth2/token",
        "authorize": "/oauth/authorize",
        "send_task": "/api/a2a/tasks/send",
        "send_task_subscribe": "/api/a2a/tasks/sendSubscribe",
        "get_task": "/api/a2a/tasks/get",
        "cancel_task": "/api/a2a/tasks/cancel",
        "resubscribe_task": "/api/a2a/tasks/resubscribe",
        "get_agent_card": "/.well-known/agent.json",
    }
)

__all__ = ("ACCESS_TOKEN_HEADER", "AUTHORIZATION_SERVER", "PATHS", "SERVERS", "AuthenticatedClient", "Client")

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in ("AuthenticatedClient", "Client"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import client

        return getattr(client, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
