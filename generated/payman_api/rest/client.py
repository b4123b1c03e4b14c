"""What the endpoint functions send with: as the clients of `payman_api`."""

from typing import ClassVar

from .. import client
from ..client import Scheme


class Client(client.Client):
    """Sends requests that need no access token."""

    __slots__ = ()
    _scheme: ClassVar[Scheme | None] = ("header", "x-payman-api-secret", "")


class AuthenticatedClient(client.AuthenticatedClient, Client):
    """Sends requests that carry an access token."""

    __slots__ = ()
