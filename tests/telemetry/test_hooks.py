"""Hooks for tokens and tasks: `on_token` and `on_task`. What they raise is the user's own, and loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from payman_sdk import MemoryTokenStore, PaymanClient, TaskState, TaskStateChange, TokenRefresh
from payman_sdk.errors import APIConnectionError, AuthenticationError, ConfigurationError
from payman_sdk.sandbox import ConnectionLost, HTTPError, Sandbox, ScriptedResponse
from tests.telemetry.conftest import Connected

PAYMENT = "send 10 TSD to Test Payee"


class TooMuch(Exception):  # noqa: N818 - the user's own exceptions have the names the user likes
    """What a user's hook raises."""


def refuse(_: object) -> None:
    raise TooMuch


# --- on_token


def test_every_renewal_is_reported(sandbox: Sandbox, connected: Connected) -> None:
    """The first token, and the one after a refused one, are told with the reason and the seconds; nothing else is."""
    renewals: list[TokenRefresh] = []
    client = connected(on_token=renewals.append)
    client.ask("Hello!")
    sandbox.script([HTTPError(401)])
    client.ask("Hello!")
    client.ask("Hello!")
    assert renewals == [TokenRefresh("first", 3600.0), TokenRefresh("refused", 3600.0)]


def test_a_renewal_that_failed_is_reported(connected: Connected) -> None:
    """A renewal that failed is told with its error, which is then raised."""
    renewals: list[TokenRefresh] = []
    with pytest.raises(AuthenticationError):
        connected(on_token=renewals.append, client_secret="wrong").ask("Hello!")
    [renewal] = renewals
    assert (renewal.reason, renewal.expires_in, type(renewal.error)) == ("first", None, AuthenticationError)


def rotating(request: httpx.Request) -> httpx.Response:
    """A server whose every refresh token is good for once, and whose access tokens live for an hour."""
    if request.url.path.endswith("/token"):
        number = int(request.url.params["refresh_token"][1:]) + 1
        token = {"accessToken": f"a{number}", "expiresIn": 3600, "refreshToken": f"r{number}"}
        return httpx.Response(200, json=token)
    body = json.loads(request.content)
    task = {"id": body["params"]["id"], "status": {"state": "completed"}}
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": body["id"], "result": task})


def test_a_hook_that_raises_loses_no_token() -> None:
    """A new refresh token is kept before the hook hears of it: what the hook raises comes out, and the next ask goes on."""
    store = MemoryTokenStore()
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return rotating(request)

    renewals: list[TokenRefresh] = []

    def hook(renewal: TokenRefresh) -> None:
        renewals.append(renewal)
        raise TooMuch

    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        client = PaymanClient.with_token(
            {"client_id": "pm-test-1", "client_secret": "s3cret", "on_token": hook},
            {"refreshToken": "r1"},
            http_client=http,
            token_store=store,
        )
        with pytest.raises(TooMuch):
            client.ask(PAYMENT)
        stored = store.load()
        assert stored is not None
        assert (stored.access_token, stored.refresh_token) == ("a2", "r2")
        assert client.get_refresh_token() == "r2"
        assert client.ask(PAYMENT).status == "completed"
    assert [request.url.path for request in seen] == ["/api/oauth2/token", "/api/a2a/tasks/send"]
    assert renewals == [TokenRefresh("first", 3600.0, is_rotated=True)]


def test_a_code_that_is_exchanged_is_reported() -> None:
    """The exchange of an authorization code is told; its token is in the store by then, should the hook raise."""
    store, renewals = MemoryTokenStore(), list[TokenRefresh]()

    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"accessToken": "a1", "expiresIn": 60, "refreshToken": "r1"})

    def hook(renewal: TokenRefresh) -> None:
        renewals.append(renewal)
        raise TooMuch

    with httpx.Client(transport=httpx.MockTransport(handle)) as http, pytest.raises(TooMuch):
        PaymanClient.with_auth_code(
            {"client_id": "pm-test-1", "client_secret": "s3cret", "on_token": hook},
            "code",
            http_client=http,
            token_store=store,
        )
    assert renewals == [TokenRefresh("code", 60.0, is_rotated=True)]
    stored = store.load()
    assert stored is not None
    assert stored.refresh_token == "r1"


def test_a_hook_holds_no_lock(connected: Connected) -> None:
    """A hook may use the very client that calls it."""
    answers: list[str] = []
    client: PaymanClient = connected(on_token=lambda _: answers.append(client.ask("Hello!").status))
    assert client.ask("Hello!").status == "completed"
    assert answers == ["completed"]


def test_an_error_of_ours_in_a_hook_is_not_a_failure_of_the_ask(connected: Connected) -> None:
    """A hook that raises an error of the SDK's is not taken for a failed attempt: nothing is tried again."""
    mine = APIConnectionError("The hook's own.", sent=False)

    def hook(_: object) -> None:
        raise mine

    client = connected(on_token=hook)
    with pytest.raises(APIConnectionError) as caught:
        client.ask(PAYMENT)
    assert caught.value is mine
    assert (client.stats().retries, client.stats().abandoned) == (0, 1)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("name", ["on_token", "on_task"])
def test_an_error_of_ours_in_a_hook_of_tasks(loop: str, name: str, sandbox: Sandbox) -> None:
    """The same for tasks: the very exception comes out, and what was paid is not paid again."""
    mine = APIConnectionError("The hook's own.", sent=True)
    sandbox.script([ConnectionLost()])

    async def hook(_: object) -> None:
        await anyio.lowlevel.checkpoint()
        raise mine

    async def main() -> None:
        hooks: Any = {name: hook}
        async with (
            httpx.AsyncClient(transport=sandbox.transport()) as http,
            sandbox.async_client(http_client=http, **hooks) as client,
        ):
            with pytest.raises(APIConnectionError) as caught:
                await client.ask(PAYMENT)
            assert caught.value is mine
            assert (client.stats().retries, client.stats().abandoned) == (0, 1)

    anyio.run(main, backend=loop)
    assert len(sandbox.payments) == (name == "on_task")


# --- on_task


def _plainly(client: PaymanClient, **options: Any) -> Any:
    return client.ask(PAYMENT, **options)


def _streaming(client: PaymanClient, **options: Any) -> Any:
    with client.stream(PAYMENT, **options) as stream:
        return stream.result()


@pytest.mark.parametrize("is_option", [True, False])
@pytest.mark.parametrize(
    ("ask", "states"), [(_plainly, ["completed"]), (_streaming, ["working", "completed"])]
)
def test_every_change_is_reported(
    ask: Callable[..., Any], states: list[str], is_option: bool, connected: Connected
) -> None:
    """`on_task`, of the client or of one ask, hears of every state of the task once."""
    changes: list[TaskStateChange] = []
    given: dict[str, Any] = {"on_task": changes.append}
    response = ask(connected(**{} if is_option else given), **given if is_option else {})
    assert [change.state for change in changes] == [TaskState(state) for state in states]
    assert [change.is_final for change in changes] == [state == "completed" for state in states]
    assert {change.task_id for change in changes} == {response.task_id}
    assert changes[-1].message == response.status_message


def test_a_task_that_is_waited_for(sandbox: Sandbox, connected: Connected) -> None:
    """Waiting for a person tells the state it began with and how it ended, and looking and canceling tell what they find."""
    states: list[str] = []
    client = connected(on_task=lambda change: states.append(str(change.state.value)))
    waiting, other = client.ask("send 200 TSD to Test Payee"), client.ask("send 201 TSD to Test Payee")
    sandbox.approve(waiting.task_id)
    client.wait(waiting)
    client.get_task(waiting)
    client.cancel_task(other)
    assert states == ["input-required"] * 2 + ["completed", "completed", "canceled"]


@pytest.mark.slow
def test_a_state_that_nobody_has_listed(sandbox: Sandbox, connected: Connected) -> None:
    """A state that changes while a lost answer is waited for is told too, as often as it changes."""
    changes: list[TaskStateChange] = []
    sandbox.script([ConnectionLost(ScriptedResponse(state="working"))])
    connected(on_task=changes.append).ask(PAYMENT, timeout=1)
    assert [change.state for change in changes] == [TaskState.WORKING]


@pytest.mark.parametrize("error", [TooMuch(), APIConnectionError("The hook's own.", sent=True)])
@pytest.mark.parametrize("script", [[], [ConnectionLost()]])
@pytest.mark.parametrize("ask", [_plainly, _streaming])
def test_what_a_hook_raises_comes_out(
    ask: Callable[..., Any], script: list[Any], error: Exception, sandbox: Sandbox, connected: Connected
) -> None:
    """The very exception of the hook comes out, and the payment is not made again."""

    def hook(_: object) -> None:
        raise error

    sandbox.script(script)
    client = connected(on_task=hook)
    with pytest.raises(type(error)) as caught:
        ask(client)
    assert caught.value is error
    assert (len(sandbox.payments), client.stats().abandoned) == (1, 1)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_hooks_of_tasks_are_awaited(loop: str, sandbox: Sandbox) -> None:
    """A client for tasks awaits hooks that are coroutine functions."""
    received: list[object] = []

    async def hook(about: object) -> None:
        await anyio.lowlevel.checkpoint()
        received.append(about)

    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=sandbox.transport()) as http,
            sandbox.async_client(http_client=http, on_token=hook, on_task=hook) as client,
        ):
            await client.ask(PAYMENT)
            async with client.stream(PAYMENT) as stream:
                await stream.result()

    anyio.run(main, backend=loop)
    assert [type(about).__name__ for about in received] == ["TokenRefresh", *["TaskStateChange"] * 3]


@pytest.mark.parametrize("name", ["on_token", "on_task"])
def test_a_coroutine_function_is_not_a_hook_of_threads(name: str, connected: Connected) -> None:
    """A client for threads, which would not await it, refuses it; and what cannot be called is no hook."""

    async def hook(_: object) -> None: ...

    with pytest.raises(ConfigurationError, match=f"{name} is a coroutine function"):
        connected(**{name: hook})
    with pytest.raises(ConfigurationError, match=f"{name} is an int"):
        connected(**{name: 5})
    if name == "on_task":
        with pytest.raises(ConfigurationError, match="on_task is a coroutine function"):
            connected().ask("Hello!", on_task=hook)
