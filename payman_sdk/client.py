"""The clients, under the import path that version 1 used."""

from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk._client.sync import PaymanClient

__all__ = ["AsyncPaymanClient", "PaymanClient"]
