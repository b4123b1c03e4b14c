"""A conversation for asyncio and trio; see `conversation.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payman_sdk._client.async_methods import AsyncMethods
from payman_sdk._client.conversation import BaseConversation

if TYPE_CHECKING:
    from payman_sdk._io.async_runner import AsyncRunner  # noqa: F401 (named in a string below)


class AsyncConversation(AsyncMethods, BaseConversation["AsyncRunner"]):
    """A conversation with the agent, for asyncio and trio. Create it with `client.conversation()`.

    Example:
        >>> import asyncio
        >>> from payman_sdk.sandbox import Sandbox
        >>> async def main() -> None:
        ...     async with sandbox.async_client() as client:
        ...         mine, yours = client.conversation(), client.conversation()
        ...         print((await mine.ask("Hello!")).session_id == (await yours.ask("Hello!")).session_id)
        >>> with Sandbox() as sandbox:
        ...     asyncio.run(main())
        False
    """
