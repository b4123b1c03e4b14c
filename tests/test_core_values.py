"""What the core makes of values that hardly ever come: too many, too deep, too large, or of no kind that anybody wrote down."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from payman_api.models.artifact import Artifact as WireArtifact
from payman_api.models.data_part import DataPart
from payman_api.models.task import Task
from payman_api.models.text_part import TextPart
from payman_sdk._client.environment import FoundSetting, check_sources
from payman_sdk._core import artifact_set, operations, task_normalization
from payman_sdk._core.accumulator import TaskAccumulator
from payman_sdk._core.artifact_buffer import ArtifactBuffer
from payman_sdk._core.artifact_set import ArtifactSet
from payman_sdk._core.auth.credentials import read_token_info
from payman_sdk._core.auth.grants import is_read_only
from payman_sdk._core.auth.stored_token import fingerprint_token
from payman_sdk._core.effects import Sleep, interrupt
from payman_sdk._core.formatting import format_artifact, format_task, render_part
from payman_sdk._core.http import Transmission
from payman_sdk._core.json_schema import MismatchError, SchemaError, check_schema, validate
from payman_sdk._core.listings import InvalidObjectError, read_moment, read_number
from payman_sdk._core.orders import (
    ORDER,
    SCHEMA,
    find_payment_order,
    read_order_line,
    read_payment_order,
    write_order,
)
from payman_sdk._core.payments import is_same_payee
from payman_sdk._core.response_format import read_response_format
from payman_sdk._core.task_normalization import Warnings, normalize_artifact, parse_timestamp
from payman_sdk._core.task_reader import read_artifact, read_task
from payman_sdk._core.type_schema import read_type
from payman_sdk._core.wire_json import dump_json
from payman_sdk.errors import ConfigurationError, ResponseValidationError
from payman_sdk.sandbox import Sandbox
from payman_sdk.types import Transaction
from tests.streaming.test_progress import ASK, Hasty, formatted, status, take

SERVERS = "https://agent.payman.ai"


def test_json_has_null_for_what_it_cannot_hold() -> None:
    """Also as keys, in lists, and in the content of an artifact; every other value is written as ever."""
    lost: list[str] = []
    value = {"a": [float("inf"), 1.5, {"b": float("nan")}], "Infinity": "NaN", "c": -float("inf")}
    assert json.loads(dump_json(value, lost)) == {"a": [None, 1.5, {"b": None}], "Infinity": "NaN", "c": None}
    assert lost == ["Infinity", "NaN", "-Infinity"]
    assert dump_json({"é": 1e300}, lost, ensure_ascii=False) == '{"é": 1e+300}'
    assert len(lost) == 3
    for kind in ("data", "odd"):
        part = {"type": kind, "data": {"x": float("inf")}}
        task = {"id": "tsk-1", "status": {"state": "completed"}, "artifacts": [{"parts": [part]}]}
        read = read_task(task, "tsk-1")
        assert read is not None
        text = format_task(read, request_id="req-1", session_id=None).text
        assert '"x": null' in text, kind


def nest(depth: int) -> list[Any]:
    """A list in a list in a list."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def begin_artifact(text: str, weight: int) -> ArtifactBuffer:
    buffer = ArtifactBuffer(WireArtifact.from_dict({"parts": [{"type": "text", "text": text}]}))
    buffer.weight = weight
    return buffer


def test_what_a_stream_repeats_is_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest status is forgotten, and one that is nested too deeply is never taken for another."""
    monkeypatch.setattr(artifact_set, "_MOST_FINGERPRINTS", 3)
    artifacts = ArtifactSet()
    for number in range(5):
        assert not artifacts.was_seen(number)
    artifacts.rejoin()
    assert [artifacts.was_seen(number) for number in (4, 3, 2)] == [True, True, True]
    assert not artifacts.was_seen(0)
    assert not artifacts.was_seen(nest(100_000)) and not artifacts.was_seen(nest(100_000))


def test_replaced_artifacts_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest versions go, with their size; one that goes on with what there was takes the size along."""
    monkeypatch.setattr(artifact_set, "_MOST_VERSIONS", 2)
    artifacts = ArtifactSet()
    for text in ("a", "b", "c", "d"):
        artifacts._store(0, begin_artifact(text, 0), text)
        artifacts.grow(0, 10)
    assert artifacts.size == 3 * artifacts._artifacts[0].weight
    artifacts._store(0, begin_artifact("d and more", 7), " and more")
    assert artifacts.size == 3 * (artifact_set._ARTIFACT + 10)


def test_warnings_of_a_stream_have_a_limit() -> None:
    """Whatever a server sends, no more than a hundred are kept."""
    progress = TaskAccumulator.__new__(TaskAccumulator)
    progress._warnings = {}
    progress._warn([f"warning {number}" for number in range(1000)])
    assert len(progress._warnings) == 100


def test_transactions_that_prove_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten."""
    monkeypatch.setattr(operations, "_MOST", 2)
    proven: dict[tuple[str, str], str] = {}
    proofs = operations.Proofs("https://payman.example", proven)
    for number in range(4):
        one = Transaction.__new__(Transaction)
        object.__setattr__(one, "id", f"txn-{number}")
        object.__setattr__(one, "task_id", None)
        assert proofs.take(one, f"tsk-{number}")
    assert not operations.Proofs("https://other.example", proven).is_taken("txn-3", "tsk-x")
    assert [proofs.is_taken(f"txn-{number}", "tsk-x") for number in range(4)] == [False, False, True, True]


def test_a_transaction_may_spell_its_task_otherwise() -> None:
    """The agent wrote it; what belongs to the payment is found without regard to case, and so it proves it."""
    proofs = operations.Proofs("https://payman.example", {})
    for said, is_proof in (("tsk-1", True), ("TSK-1", True), ("tsk-2", False)):
        one = Transaction.__new__(Transaction)
        object.__setattr__(one, "id", "txn-1")
        object.__setattr__(one, "task_id", said)
        assert proofs.take(one, "tsk-1") is is_proof, said


def test_credentials_as_programs_keep_them() -> None:
    """A lifetime may be a text; no token is refused, and Payman's own servers get credentials from anywhere."""
    assert read_token_info({"accessToken": "a", "expiresIn": "3600"}).lifetime == 3600
    with pytest.raises(ConfigurationError, match="holds no token"):
        read_token_info({})
    file = FoundSetting("secret", "a file", is_from_file=True)
    check_sources(FoundSetting(SERVERS, "the default", is_from_file=False), file)
    assert fingerprint_token(None) == () == fingerprint_token("")
    assert (is_read_only("read_balance"), is_read_only("read_balance write_send_payment")) == (True, False)


def test_a_flow_that_is_interrupted_wants_nothing_more_but_hooks() -> None:
    """What else it yields ends it."""

    def flow() -> Any:
        try:
            yield Sleep(1)
        finally:
            yield Sleep(2)

    running = flow()
    next(running)
    assert list(interrupt(running, KeyboardInterrupt())) == []


REFUSED: dict[str, Callable[[], object]] = {
    "a schema that is none": lambda: check_schema([]),
    "a value that is nested too deeply": lambda: validate(
        nest(100_000),
        {
            "type": "object",
            "anyOf": [{"$ref": "#/$defs/a"}],
            "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}},
        },
    ),
    "a value that is deeper than any stack": lambda: validate(
        {"a": nest(100_000)}, {"enum": [{"a": nest(900)}]}
    ),
    "a value that goes round a schema": lambda: validate(
        json.loads('{"a": ' * 300 + "{}" + "}" * 300), {"type": "object", "properties": {"a": {"$ref": "#"}}}
    ),
    "a form that JSON has not": lambda: read_type(Callable[[], int]),
    "an enumeration of what JSON has not": lambda: read_type(Enum("Odd", {"A": (1, 2)})),
    "a model without a schema": lambda: read_response_format(_model(lambda: 1 / 0)),
    "a model whose schema is none": lambda: read_response_format(_model(lambda: 5)),
    "a number with too many digits": lambda: read_number({"amount": Decimal("1e-99")}, "amount"),
    "a number with more digits than Python writes": lambda: read_number({"amount": 10**5000}, "amount"),
    "no number": lambda: read_number({"amount": Decimal("sNaN")}, "amount"),
}


def _model(schema: Callable[[], object]) -> type:
    """A class that pydantic might have made."""
    members = {
        "model_json_schema": classmethod(lambda cls: schema()),
        "model_validate_json": classmethod(lambda cls, text: text),
    }
    return type("Model", (), members)


def test_what_cannot_be_used_is_refused() -> None:
    """Each is an error of its kind."""
    for name, use in REFUSED.items():
        with pytest.raises((SchemaError, MismatchError, InvalidObjectError, ConfigurationError)):
            use()
            pytest.fail(name)


def test_what_cannot_be_read_is_nothing() -> None:
    """Times, orders and parts that are none."""
    assert read_moment(5) is None and read_moment("2026-99-99") is None and read_moment("2026-01-01") is None
    assert read_moment("2026-01-01T00:00:00Z") == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert parse_timestamp(-99_999_999_999) is None
    head, schema = "Carry out an order.", f"{SCHEMA}{{}}"
    for line in ("no JSON", "[]", '{"operation": "steal"}', '{"operation": "pay"}'):
        assert read_order_line("\n".join([head, f"{ORDER}{line}", "Answer.", schema])) is None
    assert not is_same_payee(read_payment_order("Test Payee", 5, "TSD", None, None), None)
    assert find_payment_order(None) is None
    unpayable = write_order("pay", {"payee": "Test Payee", "amount": "-5", "currency": "TSD"}, {})
    assert read_order_line(unpayable) is not None and find_payment_order(unpayable) is None


def test_an_artifact_of_other_spelling() -> None:
    """`last_chunk` is `lastChunk`; what is no artifact is none."""
    read = normalize_artifact({"parts": [], "last_chunk": True}, "artifact", Warnings())
    assert read is not None and read["lastChunk"] is True
    assert normalize_artifact(5, "artifact", Warnings()) is None


def test_a_request_whose_extensions_are_anything() -> None:
    """Only this very object is known as the one that is reported to."""

    class Stubborn(dict[str, Any]):
        def get(self, *_: Any) -> Any:
            raise RuntimeError

    class LocalProtocolError(Exception):
        """As httpcore has one."""

        __module__ = "httpcore._exceptions"

    seen = Transmission()
    assert (
        seen.is_watching({"trace": seen.note})
        and not seen.is_watching(Stubborn())
        and not seen.is_watching({})
    )
    for state, about in (("started", {}), ("failed", {"exception": LocalProtocolError()})):
        seen.note(f"http11.send_request_headers.{state}", about)
    assert (seen.sends, type(seen.failure)) == (0, LocalProtocolError)


def test_what_cannot_be_written_is_shown_as_nothing() -> None:
    """A part that is no JSON has no words; one of text has its own."""
    odd, text = DataPart.from_dict({"type": "data", "data": {"a": object()}}), TextPart("words")
    assert (render_part(odd), render_part(text)) == ("", "words")
    artifact = WireArtifact(parts=[odd])
    warnings: list[str] = []
    assert format_artifact(artifact, None, "artifact 0", warnings)["content"] == "" and len(warnings) == 1


def test_an_end_that_is_neither_is_named() -> None:
    """`final` is true or false, or else a warning."""
    progress = Hasty(ASK)
    take(progress, status(final="perhaps"))
    assert "final: neither true nor false" in formatted(progress.build_task()).warnings


def test_a_task_is_read_though_the_sdk_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """How it ended is known; an artifact that no model takes is none."""
    document: dict[str, Any] = {"id": "tsk-1", "status": {"state": "completed"}}
    known = read_task(document, "tsk-1")
    assert known == Task.from_dict(document) and known != document
    monkeypatch.setattr(task_normalization, "normalize_task", lambda *_: 1 / 0)
    odd = read_task({"status": "completed"}, "tsk-1")
    assert odd is not None and (odd.status.state, odd.warnings) == ("completed", ["everything but the state"])
    monkeypatch.setattr(task_normalization, "normalize_artifact", lambda *_: {"parts": 5})
    assert read_artifact({"parts": "odd"}) is None


def test_a_payee_that_is_none_spoils_a_list_of_transactions() -> None:
    """What cannot be read of one transaction is an error of ours, not a transaction without a payee."""
    with Sandbox() as sandbox, sandbox.client(max_retries=0) as client:
        for payee in ("[]", '"Test Payee"', "5"):
            sandbox.script([f'{{"transactions": [{{"id": "txn-1", "status": "paid", "payee": {payee}}}]}}'])
            with pytest.raises(ResponseValidationError, match="payee is neither an object nor null"):
                client.transactions()
