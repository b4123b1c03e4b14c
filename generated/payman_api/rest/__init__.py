"""A client library for accessing Payman REST API (no longer advertised).

Written from spec/payman-rest.openapi.yaml by scripts/regenerate; edits are lost.

Attributes:
    SERVERS: The base URL of each environment.
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
        "LIVE": "https://agent.payman.ai/api",
    }
)
ACCESS_TOKEN_HEADER = "x-payman-api-secret"
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "send_direct_payment": "/payments/send-payment",
        "create_payee": "/payments/payees",
        "delete_payee": "/payments/payees/{id}",
        "search_payees": "/payments/search-payees",
        "get_spendable_balance": "/balances/currencies/{currency}",
    }
)

__all__ = ("ACCESS_TOKEN_HEADER", "PATHS", "SERVERS", "AuthenticatedClient", "Client")

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in ("AuthenticatedClient", "Client"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import client

        return getattr(client, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
