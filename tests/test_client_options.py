"""What users expect of a client: copies with other settings, headers, proxies, certificates, history, logs, notebooks."""

from __future__ import annotations

import io
import logging
import os
import re
import ssl
import sys
from contextlib import redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpcore
import httpx
import pydantic
import pytest
import trustme

from payman_sdk import APITimeoutError, AsyncPaymanClient, ConfigurationError, PaymanClient, TaskState
from payman_sdk._text.logger import configure_from_environment
from payman_sdk._text.sanitizer import escape_markdown
from payman_sdk.sandbox import Sandbox
from tests import programs
from tests.conftest import Connect
from tests.peer import ASK_PATH, TOKEN_PATH, Peer, answer, completed
from tests.streaming.wire import STREAM_PATH, WORKING, status, stream

STREAMED = stream(WORKING, status("COMPLETED", final=True))


def headers_of(peer: Peer, path: str) -> list[httpx.Headers]:
    return [
        httpx.Headers(request.headers) for request in peer.requests if request.path.partition("?")[0] == path
    ]


def test_a_copy_with_other_options_shares_everything_else() -> None:
    """Connections, tokens, session, history and counts are shared; settings are not, and closing the copy closes nothing."""
    with Sandbox() as sandbox, sandbox.client(timeout=60) as client:
        with client.with_options(timeout=1e-9, max_retries=0) as hasty:
            assert type(hasty) is PaymanClient
            with pytest.raises(APITimeoutError):
                hasty.ask("list all wallets")
        with pytest.raises(ConfigurationError, match="closed"):
            hasty.ask("list all wallets")
        patient = client.with_options(timeout=30, default_headers={"X-Trace": "7"})
        first = client.ask("Hello!")
        second = patient.ask("Hello!", new_session=True)
        assert second.session_id == client.get_session_id() == patient.get_session_id() != first.session_id
        assert [entry.task_id for entry in client.tasks][-2:] == [first.task_id, second.task_id]
        assert patient.stats() == client.stats()
        assert patient.conversation().ask("Hello!").status == "completed"
        assert len(sandbox.token_requests) == 1
        client.close()
        with pytest.raises(ConfigurationError, match="closed"):
            patient.ask("Hello!")
        unusable: Any = ({"timeout": -1}, {"max_retries": "2"}, {"default_headers": {"Host": "x"}})
        for wrong in unusable:
            with pytest.raises(ConfigurationError):
                client.with_options(**wrong)


def test_a_copy_of_an_asynchronous_client() -> None:
    """`with_options` of AsyncPaymanClient does the same."""

    async def main() -> None:
        async with sandbox.async_client() as client:
            async with client.with_options(max_retries=0) as other:
                assert type(other) is AsyncPaymanClient
                assert (await other.ask("Hello!")).session_id == client.get_session_id()
            assert (await client.ask("Hello!")).status == "completed"

    with Sandbox() as sandbox:
        anyio.run(main)


def test_headers_are_sent_beside_the_sdks_own(peer: Peer, connect: Connect) -> None:
    """Default headers go with every request, extra ones with those of one call; the SDK's own are what they always are."""
    peer.always(ASK_PATH, completed)
    peer.always(STREAM_PATH, STREAMED)
    with connect(default_headers={"X-Gateway-Key": "open-sesame-1", "X-Tenant": "acme"}) as client:
        client.ask("Hello!", extra_headers={"X-Tenant": "other", "X-Request": "1"})
        client.ask("Hello!")
        with client.stream("Hello!", extra_headers={"X-Request": "2"}) as coming:
            coming.result()
    (token,), (first, second), (streamed,) = (
        headers_of(peer, path) for path in (TOKEN_PATH, ASK_PATH, STREAM_PATH)
    )
    assert [one["x-gateway-key"] for one in (token, first, second, streamed)] == ["open-sesame-1"] * 4
    assert [one["x-tenant"] for one in (token, first, second)] == ["acme", "other", "acme"]
    assert [one.get("x-request") for one in (token, first, second, streamed)] == [None, "1", None, "2"]
    for one in (token, first, streamed):
        assert re.fullmatch(
            rf"paymanai-sdk/2\.\S+ python/3\.\d+ httpcore/{re.escape(httpcore.__version__)}",
            one["user-agent"],
        )


def test_headers_that_may_not_be_set_are_refused_by_name(peer: Peer, client: PaymanClient) -> None:
    """The SDK's own, those that frame a message, and what no header can hold; nothing is sent."""
    own = [
        "Authorization",
        "content-type",
        "ACCEPT",
        "User-Agent",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
    ]
    own += [
        "X-Payman-Access-Token",
        "Proxy-Authorization",
        "Accept-Encoding",
        "Connection",
        "Last-Event-ID",
        "TE",
        "Sec-Fetch-Mode",
    ]
    for name in own:
        with pytest.raises(
            ConfigurationError, match=f"extra_headers: '{name}' is a header that the SDK sets itself"
        ):
            client.ask("Hello!", extra_headers={name: "x"})
    wrong: list[Any] = [
        {"X A": "b"},
        {"": "b"},
        {"X-A\r\nHost": "b"},
        {"X-A": "a\r\nHost: b"},
        {"X-A": "a\nb"},
        {"X-A": "\x00"},
    ]
    wrong += [{"X-A": "é"}, {"X-A": " a"}, {"X-A": 5}, {"X-A": b"a"}, {5: "a"}, "X-A: b", ["X-A"]]
    for headers in wrong:
        with pytest.raises(ConfigurationError, match="extra_headers"):
            client.ask("Hello!", extra_headers=headers)
        with pytest.raises(ConfigurationError, match="default_headers"):
            PaymanClient(client_id="x", client_secret="y", default_headers=headers)
    assert peer.requests == []


def test_a_header_that_opens_something_is_a_secret(peer: Peer, connect: Connect) -> None:
    """The value of a key in a header is in no repr, and redacted where a server repeats it."""
    peer.always(ASK_PATH, answer(403, "denied: open-sesame-1"))
    with connect(default_headers={"X-Gateway-Key": "open-sesame-1"}) as client:
        with pytest.raises(Exception) as caught:
            client.ask("Hello!")
        assert "open-sesame" not in f"{caught.value} {caught.value.__dict__} {client._config!r}"


def test_a_response_has_headers_and_a_duration(peer: Peer, client: PaymanClient) -> None:
    """`response.headers` reads in any spelling and repeats no secret; `elapsed` is how long the call took."""
    peer.always(ASK_PATH, completed)
    peer.always(STREAM_PATH, STREAMED)
    response = client.ask("Hello!")
    assert response.headers["Content-Type"].startswith("application/json")
    assert timedelta() < response.elapsed < timedelta(seconds=60)
    with client.stream("Hello!") as coming:
        streamed = coming.result()
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert streamed.elapsed > timedelta()
    assert {"headers", "elapsed"}.isdisjoint(response)
    streamed.elapsed = timedelta(minutes=2)
    assert streamed.elapsed == timedelta(minutes=2)


def test_a_proxy_and_certificates_of_the_programs_own(tmp_path: Path) -> None:
    """`proxy=` carries even what goes to this machine, `verify=` takes a context or a file; anything else is refused."""
    with Sandbox() as proxy:  # answers 404 to the address of another server, as it is no proxy
        settings: Any = {
            "client_id": "x",
            "client_secret": "y",
            "base_url": "http://localhost:9",
            "max_retries": 0,
        }
        with PaymanClient(**settings, proxy=proxy.base_url) as client, pytest.raises(Exception) as caught:
            client.ask("Hello!")
        assert getattr(caught.value, "status_code", None) is not None, caught.value
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.create_default_context()
    for verify in (file, str(file), context, True):
        with PaymanClient(
            client_id="x", client_secret="y", base_url="https://localhost:9", verify=verify
        ) as client:
            client.is_access_token_expired()
    for name, value in (
        ("verify", False),
        ("verify", 5),
        ("verify", str(tmp_path / "none")),
        ("proxy", "gopher://x"),
        ("proxy", 5),
    ):
        given: Any = {name: value}
        with pytest.raises(ConfigurationError, match=name):
            PaymanClient(client_id="x", client_secret="y", **given).is_access_token_expired()
    with httpx.Client() as http, pytest.raises(ConfigurationError, match="http_client and proxy"):
        PaymanClient(client_id="x", client_secret="y", http_client=http, proxy="http://localhost:1")


def test_the_history_of_a_client_is_bounded_and_says_how_tasks_are() -> None:
    """`client.tasks` has the newest tasks with the state that was seen last, and nothing of their text."""
    with Sandbox() as sandbox, sandbox.client() as client:
        waiting = client.ask("send 200 TSD to Test Payee", idempotency_key="invoice-42")
        [entry] = client.tasks
        assert (entry.task_id, entry.state, entry.is_final, entry.idempotency_key) == (
            waiting.task_id,
            TaskState.INPUT_REQUIRED,
            False,
            "invoice-42",
        )
        client.reply(waiting, "approve")
        [entry] = client.tasks
        assert (entry.state, entry.is_final, entry.error) == (TaskState.COMPLETED, True, None)
        with pytest.raises(APITimeoutError):
            client.ask("Hello!", timeout=1e-9)
        assert client.tasks[-1].error == "APITimeoutError"
        assert "Payee" not in repr(client.tasks)
        observer = client._observer
        for number in range(1200):
            observer.add_task(_Ask(number))  # type: ignore[arg-type]
        assert len(client.tasks) == 1000


class _Ask:
    idempotency_key = None

    def __init__(self, number: int) -> None:
        self.task_id, self.session_id, self.request_id = f"tsk-{number}", "ses-1", "req-1"


@pytest.mark.slow
def test_payman_log_writes_to_standard_error() -> None:
    """PAYMAN_LOG=debug shows every decision and no secret; without it nothing changes, and an odd value is a warning."""
    with Sandbox() as sandbox:
        program = (
            "from payman_sdk import PaymanClient\n"
            f"with PaymanClient(client_id={sandbox.client_id!r}, client_secret={sandbox.client_secret!r}, "
            f"base_url={sandbox.base_url!r}) as client: client.ask('secret words')"
        )
        said: dict[str, str] = {}
        for level in ("debug", "INFO", "", "loud"):
            done = programs.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PAYMAN_LOG": level},
                capture_output=True,
                text=True,
                check=True,
            )
            said[level] = done.stderr
    assert "HTTP 200" in said["debug"]
    assert sandbox.client_secret not in said["debug"] + said["INFO"]
    assert "secret words" not in said["debug"]
    assert "completed" in said["INFO"] and "HTTP 200" not in said["INFO"]
    assert said[""] == ""
    assert "PAYMAN_LOG is loud" in said["loud"] or "PAYMAN_LOG" in said["loud"]
    handlers = list(logging.getLogger("payman_sdk").handlers)
    configure_from_environment({})
    assert logging.getLogger("payman_sdk").handlers == handlers


def test_a_notebook_shows_the_state_and_nothing_that_acts() -> None:
    """Waiting and failed answers show their state; HTML, images and odd links of the agent's words are text."""
    with Sandbox() as sandbox, sandbox.client() as client:
        assert client.ask("list all wallets")._repr_markdown_().startswith("Here are your wallets")
        waiting = client.ask("send 200 TSD to Test Payee")
        assert waiting._repr_markdown_().startswith("**Waiting** · input-required · `tsk-")
        failed = client.ask("send 900 TSD to Test Payee")
        if failed.status == "failed":
            assert failed._repr_markdown_().startswith("**Failed**")
        with client.stream("list all wallets") as coming:
            printed = io.StringIO()
            with redirect_stdout(printed):
                response = coming.show()
            assert printed.getvalue().strip() == response.text.strip()
            assert coming._repr_markdown_() == response._repr_markdown_()
    rows = {
        "<script>alert(1)</script>": "&lt;script>alert(1)&lt;/script>",
        "![x](https://evil.example/pixel)": "\\![x](https://evil.example/pixel)",
        "[x](javascript:alert(1))": "[x]\\(javascript:alert(1))",
        "[x]( data:text/html,1)": "[x]\\( data:text/html,1)",
        "[x](https://payman.ai) | **a** |": "[x](https://payman.ai) | **a** |",
        "[x]: javascript:1": "[x]\\: javascript:1",
        "a &amp; b": "a &amp;amp; b",
    }
    for text, shown in rows.items():
        assert escape_markdown(text) == shown, text


def test_options_given_by_a_language_model_are_not_settings() -> None:
    """JSON in which a model or a visitor names a setting of a constructor is refused by pydantic."""
    make = pydantic.validate_call(PaymanClient.from_env)
    with pytest.raises(pydantic.ValidationError):
        make(base_url="https://evil.example")
