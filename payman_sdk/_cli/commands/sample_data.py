"""A sandbox that is not empty: payees, payments, and one that waits. Asked for like everything else, once in each account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payman_sdk.sandbox import Sandbox

SEED = (
    "Create a payee of type Test Rails called John Doe",
    "create a new payee named Ada Lovelace with email ada@example.com",
    "send 40 TSD to John Doe for the garden fence",
    "send 12.50 TSD to Ada Lovelace for lunch",
    "send 7 TSD to Test Payee for coffee",
    "send 150 TSD to John Doe for the new gate",
)


def seed(sandbox: Sandbox) -> None:
    """Says all of `SEED` to a sandbox that does not serve yet; what its account was told before is not told again."""
    import httpx

    with httpx.Client(transport=sandbox.transport()) as http, sandbox.client(http_client=http) as client:
        for number, text in enumerate(SEED):
            client.ask(text, idempotency_key=f"seed-{number}")
