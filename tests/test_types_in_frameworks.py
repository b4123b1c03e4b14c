"""Answers, events and methods as other libraries take them: serializers, pydantic, FastAPI, and frameworks of agents."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
import orjson
import pydantic
import pytest
import yaml
from pydantic_core import to_json

from payman_sdk import AsyncPaymanClient, PaymanClient, types
from payman_sdk.agents import PaymanToolkit
from payman_sdk.agents.results import OperationResult
from payman_sdk.sandbox import Sandbox
from payman_sdk.types import FormattedTaskResponse, TaskResponse, TokenInfo

WRITERS: dict[str, Callable[[Any], Any]] = {
    "json": lambda value: json.loads(json.dumps(value)),
    "orjson": lambda value: orjson.loads(orjson.dumps(value)),
    "msgspec": lambda value: msgspec.json.decode(msgspec.json.encode(value)),
    "pydantic_core": lambda value: json.loads(to_json(value)),
    "a pydantic dict": lambda value: json.loads(pydantic.TypeAdapter(dict[str, Any]).dump_json(value)),
    "its own pydantic type": lambda value: json.loads(pydantic.TypeAdapter(type(value)).dump_json(value)),
    "yaml.safe_dump": lambda value: yaml.safe_load(yaml.safe_dump(value)),
    "yaml.dump": lambda value: yaml.safe_load(yaml.dump(value)),
}


def test_every_serializer_writes_all_of_it() -> None:
    """An answer, an artifact and each kind of event come out of every serializer with all of their keys."""
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("list all wallets", idempotency_key="k")
        with client.stream("list all wallets") as stream:
            events = list(stream)
    values: list[Any] = [response, response.artifacts[0], *events]
    assert {event.type for event in events} == {"status_update", "artifact_update"}
    for value in values:
        plain = json.loads(json.dumps(dict(value)))
        for name, write in WRITERS.items():
            assert write(value) == plain, (name, type(value))
    for event in events:
        assert event["type"] == event.type


def test_typed_results_are_written_and_read() -> None:
    """Payments, wallets, payees, transactions and results of tools become JSON, and pydantic makes them of it again."""
    with Sandbox() as sandbox, sandbox.client() as client:
        paid = client.pay("Test Payee", "1.00", "TSD", memo="coffee", idempotency_key="k")
        refused = client.pay("Test Payee", "900", "TSD")
        tool = PaymanToolkit(client).payees()
        results: list[Any] = [
            paid, refused, client.wallets()[0], client.payees()[0], client.transactions(limit=1)[0], tool,
        ]  # fmt: skip
    for result in results:
        adapter = pydantic.TypeAdapter(type(result))
        text = adapter.dump_json(result)
        assert json.loads(text) == result.to_dict() == json.loads(json.dumps(result.to_dict())), result
        assert json.loads(to_json(result)) == result.to_dict(), result
        assert json.loads(to_json([{"nobody says what it is": result}])) == [
            {"nobody says what it is": result.to_dict()}
        ]
        assert adapter.validate_json(text) == result
        assert adapter.validate_python(result) is result
        assert not {"response", "error"} & result.to_dict().keys()
        for mode in ("validation", "serialization"):
            assert adapter.json_schema(mode=mode)["properties"].keys() == result.to_dict().keys()
    assert paid.to_dict()["transaction"]["payee"]["name"] == "Test Payee"
    listed = OperationResult("1 payee", "completed", items=(MappingProxyType({"name": "Ada"}),))
    assert json.loads(json.dumps(listed.to_dict()))["items"] == [{"name": "Ada"}]
    with pytest.raises(pydantic.ValidationError, match="amount"):
        pydantic.TypeAdapter(types.Payment).validate_python({**paid.to_dict(), "amount": "much"})
    with pytest.raises(pydantic.ValidationError, match="currency"):
        pydantic.TypeAdapter(types.Wallet).validate_json("{}")


def test_names_are_found_removed_and_set_alike() -> None:
    """`in`, `pop`, `del`, `setdefault` and item assignment understand the spellings that look-ups understand."""
    response = FormattedTaskResponse(task_id="tsk-1", session_id="ses-1", state="completed")
    assert "taskId" in response
    assert response.pop("taskId") == "tsk-1"
    assert "taskId" not in response and "task_id" not in response
    with pytest.raises(KeyError, match="taskId"):
        response.pop("taskId")
    assert response.pop("taskId", None) is None
    response["sessionId"] = "ses-2"
    assert dict(response) == {"session_id": "ses-2", "state": "completed"}
    assert response.setdefault("sessionId", "ses-3") == "ses-2"
    del response["sessionId"]
    assert dict(response) == {"state": "completed"}


def test_pydantic_reads_every_public_type() -> None:
    """A TypeAdapter can be made of every TypedDict, record and event, and a model can have them as fields."""
    for name in types.__all__:
        kind = getattr(types, name)
        if isinstance(kind, type) and issubclass(kind, dict):
            described = pydantic.TypeAdapter(kind).json_schema()["properties"].keys()
            assert not described & {"on_retry", "before_send", "on_task", "on_token", "key_store"}, name
            if "max_retries" in kind.__annotations__ or name.endswith("Options"):
                assert "timeout" in described, name

    class Saved(pydantic.BaseModel):
        token: TokenInfo
        answer: FormattedTaskResponse
        raw: TaskResponse

    given: Any = {
        "token": {"accessToken": "a", "expiresIn": 5},
        "answer": {"status": "completed", "state": "completed", "task_id": "tsk-1", "later": 1},
        "raw": {"jsonrpc": "2.0", "id": "req-1", "result": None},
    }
    saved = Saved.model_validate(given)
    assert type(saved.answer) is FormattedTaskResponse and saved.answer.task_id == "tsk-1"
    assert Saved.model_validate_json(saved.model_dump_json()) == saved
    assert saved.model_dump(mode="json") == given
    for wrong in ({"token": {"accessToken": 5}}, {"answer": {"status": "done"}}, {"raw": {"id": "req-1"}}):
        with pytest.raises(pydantic.ValidationError):
            Saved.model_validate(given | wrong)
    described = pydantic.TypeAdapter(FormattedTaskResponse).json_schema()["properties"]
    assert described["status"]["enum"] == ["completed", "failed", "in_progress"]


def test_fastapi_returns_answers() -> None:
    """A route may be annotated with an answer of either form; its description lists the keys."""
    import fastapi
    from fastapi.testclient import TestClient

    app = fastapi.FastAPI()
    with Sandbox() as sandbox, sandbox.client() as client:

        def formatted() -> Any:
            return client.ask("list all wallets")

        def raw() -> Any:
            return client.ask("list all wallets", raw=True)

        def pay() -> Any:
            return client.pay("Test Payee", "1.00", "TSD")

        pay.__annotations__["return"] = types.Payment
        app.post("/pay")(pay)
        formatted.__annotations__["return"] = FormattedTaskResponse
        raw.__annotations__["return"] = TaskResponse
        app.get("/formatted")(formatted)
        app.get("/raw")(raw)

        def ask(options: Any) -> Any:
            return client.ask("list all wallets", options).status

        ask.__annotations__["options"] = types.MarkdownAskOptions
        app.post("/ask")(ask)

        def store(payment: Any) -> str:
            return str(client.payment_status(payment).outcome)

        store.__annotations__["payment"] = Annotated[types.Payment, fastapi.Body()]
        app.post("/store")(store)
        web = TestClient(app)
        assert web.post("/ask", json={"timeout": 20}).json() == "completed"
        assert web.post("/ask", json={"on_task": "print"}).status_code == 422
        payment = web.post("/pay").json()
        assert (payment["outcome"], payment["amount"], str(sandbox.balance("TSD"))) == (
            "paid",
            "1.00",
            "999.00",
        )
        assert web.post("/store", json=payment).json() == "paid"
        answer = web.get("/formatted").json()
        assert (answer["status"], answer["artifacts"][0]["type"]) == ("completed", "text")
        assert web.get("/raw").json()["result"]["status"]["state"] == "COMPLETED"
        described = web.get("/openapi.json").text
        assert all(f'"{name}":{{' in described for name in ("status", "task_id", "artifacts", "jsonrpc"))


def test_no_visitor_of_a_web_service_chooses_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI makes query parameters of the keywords of a dependency: none of a constructor's may come from there."""
    import fastapi
    from fastapi.testclient import TestClient

    app = fastapi.FastAPI()
    with Sandbox() as sandbox, Sandbox() as evil:
        monkeypatch.setenv("PAYMAN_CLIENT_ID", sandbox.client_id)
        monkeypatch.setenv("PAYMAN_CLIENT_SECRET", sandbox.client_secret)
        monkeypatch.setenv("PAYMAN_BASE_URL", sandbox.base_url)

        def status(client: Any = fastapi.Depends(PaymanClient.from_env)) -> str:  # noqa: B008 (as FastAPI has it)
            with client:
                return str(client.ask("Hello!").status)

        app.get("/")(status)
        web = TestClient(app)
        assert web.get("/").json() == "completed"
        assert web.get("/", params={"base_url": evil.base_url}).status_code == 422
        assert evil.requests == []


@pytest.mark.slow
def test_frameworks_of_agents_make_tools_of_methods() -> None:
    """LangChain, the OpenAI Agents SDK and Pydantic AI read the signatures; a model is offered no option of a call."""
    from agents import function_tool
    from langchain_core.tools import StructuredTool
    from pydantic_ai import Agent
    from pydantic_ai.models.test import TestModel

    with Sandbox() as sandbox, sandbox.client() as client, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method, offered in (
            (client.ask, {"text"}),
            (client.get_task, {"task"}),
            (client.wait, {"task", "timeout"}),
            (client.payees, {"query"}),
            (client.pay, {"payee", "amount", "currency", "memo", "wallet"}),
        ):
            tool = StructuredTool.from_function(method, name="tool")
            assert tool.args.keys() == offered
            schema: Any = function_tool(method).params_json_schema
            assert schema["properties"].keys() == offered
            pydantic.validate_call(method)
        tool = StructuredTool.from_function(client.ask, name="ask")
        assert tool.invoke({"text": "list all wallets"})["status"] == "completed"
        # `run_sync` would leave an event loop open.
        for name, expected in (("ask", "completed"), ("payees", "Test Payee"), ("wallets", "balance")):
            agent = Agent(
                TestModel(call_tools=[name]), tools=[client.ask, client.pay, client.payees, client.wallets]
            )
            assert expected in asyncio.run(agent.run("Ask.")).output, name
        asynchronous = AsyncPaymanClient(client_id="x", client_secret="y")
        assert StructuredTool.from_function(coroutine=asynchronous.ask, name="ask").args.keys() == {"text"}
