"""Who is measured: each peer has an environment of its own under `.bench/`, and a module of sides here.

To add one: a line below, its lock by `scripts/lock`, a module with `sides(target)`, and its sides in the rows of `rows.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """Somebody who is measured.

    Attributes:
        name: The folder of its environment, and its module in `peers/` but for the dashes.
        pins: What pip installs; one without a version is held at the version in `requirements-dev.lock`.
        imports: The statement whose time is its import time.
        extras: For this SDK itself, which is built from the checkout: the extras, `""` for none.
        module: Its module, where it shares one.
    """

    name: str
    pins: tuple[str, ...] = ()
    imports: str = ""
    extras: str | None = None
    module: str = ""

    @property
    def sides(self) -> str:
        """The name of its module."""
        return self.module or self.name.replace("-", "_")


PEERS = (
    Peer("ours", imports="from payman_sdk import PaymanClient", extras=""),
    Peer("ours-aiohttp", imports="from payman_sdk import AsyncPaymanClient", extras="aiohttp", module="ours"),
    Peer("httpx", ("httpx",), "import httpx"),
    Peer("httpx-aiohttp", ("httpx", "httpx-aiohttp", "aiohttp==3.14.5"), "import httpx_aiohttp"),
    Peer("httpx2", ("httpx2==2.16.2",), "import httpx2"),
    Peer("aiohttp", ("aiohttp==3.14.5",), "import aiohttp"),
    Peer("httpx-sse", ("httpx-sse==0.4.3", "httpx"), "import httpx_sse"),
    Peer("paymanai-sdk", ("paymanai-sdk==1.0.8",), "from payman_sdk import PaymanClient"),
    Peer("openai", ("openai==3.57.0",), "from openai import OpenAI"),
    Peer("anthropic", ("anthropic==2.14.0",), "from anthropic import Anthropic"),
    Peer("stripe", ("stripe==16.1.0",), "from stripe import StripeClient"),
    Peer("a2a-sdk", ("a2a-sdk==1.3.0",), "from a2a.client import create_client"),
    Peer("floor"),
)
