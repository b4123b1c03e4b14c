"""The asynchronous client says the same: it replays what the first one recorded."""

from __future__ import annotations

import pytest

from payman_sdk import errors
from tests.loops import LOOPS
from tests.recorded.conftest import Server

pytestmark = pytest.mark.anyio


@pytest.fixture(params=LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop."""
    return str(request.param)


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    """The folder of all of them."""
    from tests.recorded.conftest import CASSETTES

    return str(request.config.getoption("--cassettes", CASSETTES))


@pytest.mark.default_cassette("asks/a_payee_is_created_and_paid")
async def test_a_payee_is_created_and_paid(server: Server) -> None:
    """The async client sends the same asks."""
    async with server.async_client() as client:
        await client.ask("Create a payee of type Test Rails called John Doe")
        await client.ask("send 10 TSD to John Doe. Description: Birthday gift")
        assert "John Doe" in (await client.ask("show my last 5 transactions")).text


@pytest.mark.default_cassette("streams/an_answer_as_it_comes")
async def test_an_answer_as_it_comes(server: Server) -> None:
    """The async client hears the same stream."""
    async with (
        server.async_client() as client,
        client.stream("list all wallets and their balances") as stream,
    ):
        reported = "".join([event.delta async for event in stream if event.type == "artifact_update"])
        assert reported == (await stream.result()).text


@pytest.mark.default_cassette("approvals/the_user_approves")
async def test_the_user_approves(server: Server) -> None:
    """The async client replies the same."""
    async with server.async_client() as client:
        response = await client.ask("send 150 TSD to Test Payee")
        assert (await client.reply(response, "approve")).status == "completed"


@pytest.mark.default_cassette("errors/an_ask_that_did_not_arrive")
async def test_an_ask_that_did_not_arrive(server: Server) -> None:
    """The async client looks as often, and sends as often."""
    async with server.async_client(settle_time=0) as client:
        assert (await client.ask("send 10 TSD to Test Payee")).status == "completed"


@pytest.mark.default_cassette("errors/agent_error--32602")
async def test_agent_error(server: Server) -> None:
    """The async client raises the same."""
    async with server.async_client() as client:
        with pytest.raises(errors.InvalidParamsError):
            await client.ask("send 10 TSD to Test Payee")
