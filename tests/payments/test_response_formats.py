from __future__ import annotations

import copy
import datetime as dt
import enum
import json
import pickle
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict
from uuid import UUID

import attrs
import pydantic
import pytest

from payman_sdk._core.json_schema import MismatchError, SchemaError, check_schema, validate
from payman_sdk._core.response_format import read_response_format
from payman_sdk._core.type_schema import read_type
from payman_sdk.errors import ConfigurationError, IdempotencyKeyReuseError
from payman_sdk.sandbox import ConnectionLost, Sandbox, ScriptedResponse
from payman_sdk.types import FormattedTaskResponse, ParsedResponse
from tests.loops import LOOPS, run_on


class Balance(TypedDict):
    currency: str
    balance: Decimal
    note: NotRequired[str]


@dataclass
class Wallet:
    currency: str
    balance: Decimal
    pending: Decimal | None = None


@attrs.frozen
class Wallets:
    wallets: list[Wallet]
    _secret: int = attrs.field(default=5, init=False)


class Paid(pydantic.BaseModel):
    status: Literal["paid", "refused"]
    amount: Decimal
    payee: str


class Color(enum.Enum):
    RED = "red"
    ONE = 1


Cents = NewType("Cents", int)


@dataclass
class Node:
    """Holds one of each kind of type, and perhaps itself."""

    text: str
    flag: bool
    number: int
    share: float
    money: Decimal
    at: dt.datetime
    day: dt.date
    uid: UUID
    color: Color
    kind: Literal["a", 2]
    cents: Cents
    pair: tuple[int, str]
    row: tuple[int, ...]
    names: set[str]
    table: dict[str, int]
    anything: Any
    either: int | str | None
    marked: Annotated[str, "x"]
    next: Node | None = None
    extra: list[str] = field(default_factory=list[str])


NODE: dict[str, Any] = {
    "text": "a",
    "flag": True,
    "number": 3.0,
    "share": 1,
    "money": "10.10",
    "at": "2026-01-01T00:00:00.123456789Z",
    "day": "2026-01-02",
    "uid": "00000000-0000-4000-8000-000000000000",
    "color": 1,
    "kind": 2,
    "cents": 5,
    "pair": [1, "b"],
    "row": [1, 2, 3],
    "names": ["x", "x"],
    "table": {"a": 1},
    "anything": [{}],
    "either": None,
    "marked": "m",
}

WRONG: tuple[dict[str, Any], ...] = (
    {"text": 5},
    {"flag": 1},
    {"number": True},
    {"number": 1.5},
    {"number": "3"},
    {"share": "1"},
    {"share": float("inf")},
    {"money": "ten"},
    {"money": "NaN"},
    {"money": True},
    {"at": "yesterday"},
    {"at": 5},
    {"day": "2026-13-01"},
    {"uid": "5"},
    {"color": "blue"},
    {"color": True},
    {"kind": "2"},
    {"pair": [1]},
    {"pair": [1, 2]},
    {"row": [1, "2"]},
    {"names": "x"},
    {"table": {"a": "1"}},
    {"either": []},
    {"next": {}},
    {"text": None},
)


def test_values_are_made_of_json_by_their_types() -> None:
    """Each type reads what its schema allows, and refuses what another type is written as; unknown members are left out."""
    node = read_type(Node).read({**NODE, "next": NODE, "unknown": 1}, "")
    assert isinstance(node, Node)
    assert isinstance(node.next, Node)
    assert (node.number, node.money, node.color, node.names) == (3, Decimal("10.10"), Color.ONE, {"x"})
    assert (type(node.number), type(node.share), node.pair, node.extra) == (int, float, (1, "b"), [])
    schema = check_schema(read_type(Node).schema)
    validate(json.loads(json.dumps(NODE)), schema)
    for changes in WRONG:
        with pytest.raises(MismatchError, match=next(iter(changes))):
            read_type(Node).read({**NODE, **changes}, "")
    with pytest.raises(MismatchError, match=r"next\.text: it is missing"):
        read_type(Annotated[Node, 1]).read({**NODE, "next": {}}, "")


SCHEMAS: tuple[tuple[dict[str, Any], list[Any], list[Any]], ...] = (
    (
        {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^a"},
        ["ab", "abc"],
        ["a", "abcd", "ba", 5, None],
    ),
    (
        {"type": "integer", "minimum": 1, "exclusiveMaximum": 5},
        [1, 4, 4.0, Decimal(4)],
        [0, 5, 1.5, True, "1"],
    ),
    (
        {"type": "number", "multipleOf": 0.01, "maximum": 10},
        [0.1, Decimal("9.99"), 10],
        [0.001, 10.01, "1", False],
    ),
    ({"type": ["string", "null"]}, ["", None], [0, False, []]),
    ({"enum": ["a", 1, None]}, ["a", 1, 1.0, None], ["b", 2, True, False]),
    ({"const": {"a": [1]}}, [{"a": [1]}, {"a": [1.0]}], [{"a": [2]}, {"a": [1], "b": 1}, None]),
    (
        {"type": "array", "items": {"type": "integer"}, "minItems": 1, "uniqueItems": True},
        [[1], [1, 2]],
        [[], [1, 1], ["a"]],
    ),
    ({"type": "array", "prefixItems": [{"type": "string"}], "items": False}, [["a"], []], [["a", 1], [1]]),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, ["a", 1], [1.5, None]),
    ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, [1], [0, 2]),
    ({"allOf": [{"minimum": 1}, {"maximum": 2}], "not": {"const": 2}}, [1], [0, 2, 3]),
    ({"$ref": "#/$defs/x"}, ["a"], [1]),
    (
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "string"}},
            "additionalProperties": False,
        },
        [{"a": "x"}],
        [{}, {"a": 1}, {"a": "x", "b": 1}, []],
    ),
    (
        {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "integer"}},
        [{}, {"a": 1}],
        [{"a": ""}],
    ),
    ({}, [1, None, {}], []),
)


def test_values_are_checked_against_a_schema() -> None:
    for member, good, bad in SCHEMAS:
        schema = check_schema(
            {"type": "object", "properties": {"m": member}, "$defs": {"x": {"type": "string"}}}
        )
        for value in good:
            validate({"m": value}, schema)
        for value in bad:
            with pytest.raises(MismatchError, match="m"):
                validate({"m": value}, schema)
    validate({}, check_schema({"type": "object", "title": "T", "examples": [], "$comment": ""}))


UNUSABLE: tuple[Any, ...] = (
    {},
    {"type": "array"},
    {"type": "string"},
    {"type": ["object", "null"]},
    {"type": "object", "properties": {"a": {"type": "text"}}},
    {"type": "object", "properties": {"a": {"if": {}}}},
    {"type": "object", "properties": {"a": 5}},
    {"type": "object", "properties": []},
    {"type": "object", "patternProperties": {}},
    {"type": "object", "unevaluatedProperties": False},
    {"type": "object", "required": "a"},
    {"type": "object", "properties": {"a": {"pattern": "("}}},
    {"type": "object", "properties": {"a": {"minLength": -1}}},
    {"type": "object", "properties": {"a": {"minimum": "1"}}},
    {"type": "object", "properties": {"a": {"multipleOf": 0}}},
    {"type": "object", "properties": {"a": {"anyOf": []}}},
    {"type": "object", "properties": {"a": {"$ref": "https://example.com"}}},
    {"type": "object", "properties": {"a": {"$ref": "#/$defs/no"}}},
    {"$ref": "#"},
    {"type": "object", "default": object()},
    {"type": "object", "default": float("nan")},
    5,
    "object",
    int,
    list[int],
    list,
    dict,
    Color,
    object(),
    Balance(currency="TSD", balance=Decimal(1)),
    pydantic.TypeAdapter(int),
    pydantic.TypeAdapter(list[Paid]),
)


def test_formats_that_cannot_be_checked_are_refused_before_anything_is_sent() -> None:
    @dataclass
    class Odd:
        value: complex

    @dataclass
    class Keys:
        value: dict[int, str]

    @dataclass
    class Lost:
        value: Nowhere  # type: ignore[name-defined] # noqa: F821 (that is why)

    with Sandbox() as sandbox, sandbox.client() as client:
        for unusable in (*UNUSABLE, Odd, Keys, Lost):
            with pytest.raises(ConfigurationError, match="response_format"):
                client.ask("Hello!", response_format=unusable)
        with pytest.raises(ConfigurationError, match="raw=True"):
            client.ask("Hello!", raw=True, response_format=Balance)  # type: ignore[call-overload]
        with pytest.raises(ConfigurationError, match="raw=True"):
            client.ask("Hello!", output_format="json", response_format=Balance)  # type: ignore[call-overload]
        with pytest.raises(ConfigurationError, match="text is blank"):
            client.ask(" ", response_format=Balance)
        assert sandbox.requests == []
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(5000):
        deep = {"type": "object", "properties": {"a": deep}}
    with pytest.raises(SchemaError, match="nested"):
        check_schema(deep)


def test_an_answer_is_read_as_what_was_asked_for() -> None:
    schema = {"type": "object", "properties": {"balance": {"type": "string"}}, "required": ["balance"]}
    with Sandbox() as sandbox, sandbox.client() as client:
        question = "what's my TSD wallet balance?"
        balance = client.ask(question, response_format=Balance)
        assert (balance.parsed, balance.parse_error) == (
            {"currency": "TSD", "balance": Decimal("1000.00")},
            None,
        )
        assert client.ask(question, response_format=Wallet).parsed == Wallet(
            "TSD", Decimal("1000.00"), Decimal("0.00")
        )
        wallets = client.ask(question, response_format=Wallets).parsed
        assert wallets is not None
        assert wallets.wallets[0].currency == "TSD"
        assert client.ask(question, response_format=schema).parsed == {"balance": "1000.00"}
        paid = client.ask("send 10 TSD to Test Payee", response_format=Paid, idempotency_key="a").parsed
        assert paid == Paid(status="paid", amount=Decimal(10), payee="Test Payee")
        adapter: Any = pydantic.TypeAdapter(Wallet)
        assert client.ask(question, response_format=adapter).parsed == Wallet("TSD", Decimal(990), Decimal(0))
        with pytest.raises(IdempotencyKeyReuseError):
            client.ask("send 10 TSD to Test Payee", response_format=schema, idempotency_key="a")
        events: list[Any] = []
        streamed = client.ask(question, response_format=Balance, on_message=events.append)
        assert streamed.parsed is not None
        assert events
        sandbox.script([ConnectionLost()])
        assert client.conversation().ask(question, response_format=Balance).parsed is not None


def test_an_answer_that_does_not_fit_is_an_answer() -> None:
    """What was carried out is never an error because of its form: `parsed` is None, and `parse_error` says why."""

    @dataclass
    class Strict:
        currency: str

        def __post_init__(self) -> None:
            raise RuntimeError("no\x1b[2K")

    class Model(pydantic.BaseModel):
        currency: str

        @pydantic.field_validator("currency")
        @classmethod
        def _check(cls, _: str) -> str:
            raise RuntimeError("no")

    odd = {"type": "object", "required": ["x"]}
    with Sandbox() as sandbox, sandbox.client() as client:
        for answer, wanted, why in (
            ("words", Balance, "holds no JSON object"),
            ('{"currency": "TSD"}', Balance, "balance: it is missing"),
            ('{"currency": "TSD"} {"currency": "USD"}', Balance, "2 different JSON objects"),
            ('{"currency": "TSD"', Balance, "cannot be read"),
            ('{"currency": "TSD"}', Strict, r"RuntimeError: no\\x1b"),
            ('{"currency": "TSD"}', Model, "no"),
            ('{"currency": 5}', Paid, "status"),
            ('{"currency": 5}', odd, "required"),
            (ScriptedResponse("Which one?", state="input-required"), Balance, "input-required"),
        ):
            sandbox.script([answer])
            response = client.ask("Hello!", response_format=wanted)
            assert response.parsed is None, why
            assert response.parse_error is not None, why
            with pytest.raises(AssertionError, match=why):
                raise AssertionError(response.parse_error)
            assert isinstance(response, FormattedTaskResponse)
            assert response["task_id"] == response.task_id


def test_a_parsed_answer_is_a_dict_that_can_be_kept() -> None:
    """It is pickled, copied and written as JSON as any answer; what was made of it is no member."""
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("what's my TSD wallet balance?", response_format=Balance)
    for kept in (pickle.loads(pickle.dumps(response)), copy.copy(response), copy.deepcopy(response)):  # noqa: S301 (our own)
        assert (kept, kept.parsed, kept.parse_error) == (response, response.parsed, None)
    assert "parsed" not in response
    assert json.loads(json.dumps(response))["task_id"] == response.task_id
    assert ParsedResponse(response).parsed is None


@pytest.mark.parametrize("loop", LOOPS)
def test_answers_are_read_in_event_loops(loop: str) -> None:
    async def main() -> None:
        async with sandbox.async_client() as client:
            response = await client.ask("what's my TSD wallet balance?", response_format=Balance)
            assert response.parsed is not None
            assert response.parsed["balance"] == 1000
            streamed = await client.ask("list all wallets", response_format=Wallets, on_message=print)
            assert streamed.parsed is not None

    with Sandbox() as sandbox:
        run_on(loop, main)


def test_the_request_names_the_format_and_nothing_else() -> None:
    text = read_response_format(Balance).request("How much?")
    assert text.startswith("How much?\n\nAnswer with exactly one JSON object")
    schema = json.loads(text.rpartition("SCHEMA: ")[2])
    assert schema["$defs"]["tests.payments.test_response_formats.Balance"]["required"] == [
        "currency",
        "balance",
    ]
