"""`payman pay` and its kin: the exit status says what the ledger says, and never something better."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest

from payman_sdk import errors
from payman_sdk._cli.exit_codes import TABLE, from_error
from payman_sdk._cli.settings import Settings
from payman_sdk._cli.terminal import Terminal
from payman_sdk.sandbox import ConnectionLost, HTTPError, RPCError, Sandbox
from tests.cli.command import ROOT, SECRET, Payman, Said

PAY = ("pay", "10", "TSD", "Test Payee")
OUTCOMES = {0: "paid", 3: "awaiting_approval", 4: "refused", 1: "failed", 5: "undetermined"}


def _reads_only(scope: str | None) -> bool:
    return True


def task_of(said: Said) -> str:
    """The task of a payment that was printed as JSON."""
    return str(json.loads(said.out)["task_id"])


def test_the_exit_status_is_the_outcome(payman: Payman, sandbox: Sandbox) -> None:
    """0 only where it is paid; 3 waits, 4 is refused, and 5 is what cannot be known."""
    rows = (
        (PAY, 0, "Paid 10.00 TSD to Test Payee.", 10),
        (("pay", "150", "TSD", "Test Payee"), 3, "Not paid yet: 150.00 TSD to Test Payee", 0),
        (("pay", "900", "TSD", "Test Payee"), 4, "Refused, not paid: 900.00 TSD to Test Payee.", 0),
        (("pay", "10", "TSD", "Nobody"), 4, "Refused, not paid", 0),
    )
    for arguments, status, words, paid in rows:
        for flags in ((), ("--json",)):
            before = sandbox.balance()
            said = payman(*arguments, "--memo", "coffee", *flags)
            assert said.status == status, said
            assert before - sandbox.balance() == paid, said
            if not flags:
                assert words in said.out
                continue
            document = json.loads(said.out)
            assert document["outcome"] == OUTCOMES[status], arguments
            assert (document["amount"], document["memo"]) == (f"{arguments[1]}.00", "coffee")


def test_the_guide_has_the_one_table() -> None:
    """The guide and `payman --help` say the same of every exit status."""
    rows = re.findall(
        r"^\| (\d+) \| (.+) \|$", (ROOT / "docs/guides/command.md").read_text("utf-8"), re.MULTILINE
    )
    assert rows == [(str(status), meaning) for status, meaning in TABLE]


def test_an_error_that_no_case_names_is_undetermined() -> None:
    """Only errors that say that nothing was done have another status; a class that is added is on the safe side."""

    class NewError(errors.PaymanError):
        pass

    known = {
        errors.ConfigurationError: 2,
        errors.IdempotencyKeyReuseError: 2,
        errors.KeyStoreError: 1,
        errors.TaskNotCancelableError: 1,
    }
    for kind in (NewError, *map(partial(getattr, errors), errors.__all__)):
        if kind is errors.ErrorResponse:
            continue
        assert from_error(kind("It broke.")) == known.get(kind, 5), kind
        assert from_error(kind("It broke.", sent=True)) == 5 or kind is errors.TaskNotCancelableError, kind
        assert from_error(kind("It broke."), is_harmless=True) != 5, kind


def test_a_key_pays_once(payman: Payman, sandbox: Sandbox) -> None:
    """The same key is the same payment; `--key` and `--idempotency-key` are one flag."""
    for flag in ("--key", "--idempotency-key"):
        assert payman(*PAY, flag, "invoice-42", "--wallet", "TSD").status == 0
    assert sandbox.balance() == 990
    said = payman("pay", "11", "TSD", "Test Payee", "--key", "invoice-42", "--json")
    error = json.loads(said.out)["error"]
    assert (said.status, error["class"], error["sent"]) == (2, "IdempotencyKeyReuseError", False)


@pytest.mark.slow
def test_every_agent_and_every_failure_ends_no_better_than_the_truth(
    payman: Payman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the agent answers, and whatever the network does: 0 only with a payment in the ledger, 1 and 4 only without."""
    failures: tuple[list[Any], ...] = (
        [],
        [ConnectionLost()],
        [HTTPError(500)],
        [HTTPError(429)],
        [RPCError(-32603)],
        [HTTPError(403)],
    )
    behaviours = ("careful", "prose", "two_objects", "claims_paid", "claims_refused", "truncated")
    for behaviour in behaviours:
        for failure in failures if behaviour == "careful" else failures[:1]:
            for amount in ("10", "900"):
                options: dict[str, Any] = {"json_answers": behaviour, "tasks_get": not failure}
                with Sandbox(clients={"cli-tests": SECRET}, **options) as other:
                    monkeypatch.setenv("PAYMAN_BASE_URL", other.base_url)
                    other.script(failure)
                    said = payman("pay", amount, "TSD", "Test Payee", "--json", "--timeout", "5")
                    is_paid = other.balance() != 1000
                row = (behaviour, failure, amount, said)
                assert said.status in ({0, 5} if is_paid else {1, 4, 5}), row
                document = json.loads(said.out)
                if "outcome" in document:
                    assert OUTCOMES[said.status] == document["outcome"], row
                else:
                    assert document["error"]["exit_code"] == said.status, row
                    assert said.status == 5 or document["error"]["sent"] is False, row


def test_what_waits_is_looked_up_approved_and_denied(payman: Payman, sandbox: Sandbox) -> None:
    """The commands that are advised work, and end by the same table."""
    said = payman("pay", "150", "TSD", "Test Payee")
    advice = [line.partition(": payman ")[2].split() for line in said.err.splitlines()]
    approve, deny, look = (words for words in advice if words)
    assert (approve[:2], deny[:2]) == (["payments", "approve"], ["payments", "deny"])
    assert payman(*look).status == 3
    assert payman(*approve).status == 0
    assert payman(*look).status == 0
    assert sandbox.balance() == 850
    assert payman(*deny).status == 2  # it waits no more
    task = task_of(payman("pay", "150", "TSD", "Test Payee", "--json"))
    assert payman("payments", "deny", task).status == 0
    assert payman("payments", "status", task).status == 4
    assert payman("payments", "status", "tsk-nobody").status == 5
    assert sandbox.balance() == 850


@pytest.mark.slow
def test_wrong_orders_are_not_sent(payman: Payman, sandbox: Sandbox) -> None:
    """What cannot be meant is a usage error, in words and as JSON; words that were not quoted are shown quoted."""
    rows = (
        (("pay", "ten", "TSD", "Test Payee"), "amount"),
        (("pay", "0", "TSD", "Test Payee"), "amount"),
        (("pay", "1.001", "USD", "Test Payee"), "amount"),
        (("pay", "10", "TSD", "Test Payee\u202e"), "payee"),
        (("pay", "10", "TSD", "Test Payee", "--memo", "a\nb"), "memo"),
        (("pay", "10", "TSD", "Test", "Payee"), "payman pay 10 TSD 'Test Payee'"),
        (("pay", "10", "TSD"), "PAYEE"),
        (("pay", "10", "TSD", "Ada", "--nothing"), "--nothing"),
        (("ask", "send", "10", "TSD"), "payman ask 'send 10 TSD'"),
        (("tasks", "reply", "tsk-1", "yes", "please"), "payman tasks reply tsk-1 'yes please'"),
        (("payees", "add", "Ada", "--type", "BANK"), "type"),
        (("payees", "add", "Ada", "--type", "US_ACH"), "account_holder_name"),
        (("payees", "add", "Ada", "--type", "TEST_RAILS", "--chain", "x"), "chain"),
        (("transactions", "--limit", "0"), "limit"),
        (("sandbox", "--json-answers", "nicely"), "json_answers"),
    )
    for arguments, words in rows:
        said = payman(*arguments)
        assert (said.status, said.out) == (2, ""), arguments
        assert words in said.err, arguments
        if arguments[0] == "sandbox":
            continue
        document = json.loads(payman(*arguments, "--json").out)
        assert set(document) == {"error"}, arguments
        assert (document["error"]["exit_code"], document["error"]["sent"]) == (2, False), arguments
        assert words in document["error"]["message"] + (document["error"]["next_step"] or ""), arguments
    assert sandbox.requests == []


def test_lists_are_tables_and_json(payman: Payman, sandbox: Sandbox) -> None:
    """Amounts are strings in JSON; names of others stay in their cell."""
    payman(*PAY, "--memo", "coffee")
    said = payman("wallets")
    assert said.status == 0
    assert [line.split()[:3] for line in said.out.splitlines()] == [
        ["CURRENCY", "BALANCE", "PENDING"],
        ["TSD", "990.00", "0.00"],
    ]
    assert json.loads(payman("wallets", "--json").out)[0]["balance"] == "990.00"
    said = payman("transactions", "--limit", "1", "--wallet", "TSD")
    assert re.split(r" {2,}", said.out.splitlines()[1])[1:5] == ["10.00 TSD", "Test Payee", "paid", "coffee"]
    (newest,) = json.loads(payman("transactions", "--json").out)
    assert (newest["amount"], newest["payee"]["name"], newest["outcome"]) == ("10.00", "Test Payee", "paid")
    assert payman("payees", "--query", "zzz").out == ""
    assert json.loads(payman("payees", "-q", "zzz", "--json").out) == []
    sandbox.revoke_tokens()
    for failure in (ConnectionLost(), HTTPError(500)):
        sandbox.script([failure] * 5)
        said = payman("wallets", "--json", "--timeout", "3")
        assert (said.status, json.loads(said.out)["error"]["exit_code"]) == (1, 1)
        sandbox.script([])


def test_payees_are_added_with_the_fields_of_their_type(payman: Payman) -> None:
    """Each type takes its own fields; one who is there already is not added twice."""
    rows = {
        "Ada Lovelace": ("TEST_RAILS", "--email", "ada@example.com", "--tag", "friend", "--tag", "maths"),
        "Bob's Bank": (
            "us-ach", "--account-holder-name", "Bob", "--account-holder-type", "individual", "--account-number",
            "12345678", "--routing-number", "021000021", "--account-type", "checking",
        ),
        "Chain": ("crypto_address", "--address", "0x" + "a" * 40, "--chain", "ethereum", "--currency", "USDC"),
        "Wallet": ("PAYMAN_WALLET", "--paytag", "tube.tense.cask/53"),
    }  # fmt: skip
    for name, fields in rows.items():
        for _ in range(2):
            said = payman("payees", "add", name, "--type", *fields, "--json")
            assert said.status == 0, said
            assert json.loads(said.out)["name"] == name
            assert "12345678" not in said.out
    names = [line.split("  ")[0] for line in payman("payees").out.splitlines()]
    assert names == ["NAME", "Test Payee", *rows]


def test_flags_before_a_subcommand_are_refused(payman: Payman, sandbox: Sandbox) -> None:
    """They belong to the list: `payees add` would drop them, and print a table in spite of --json."""
    add = ("add", "Ada", "--type", "TEST_RAILS")
    for flags, said_first in (
        (("--json",), "--json has"),
        (("--timeout", "-5"), "--timeout has"),
        (("--timeout", "0"), "--timeout has"),
        (("--query", ""), "--query has"),
        (("-q", "Ada", "--json"), "--query and --json have"),
    ):
        said = payman("payees", *flags, *add)
        assert said.status == 2, flags
        words = json.loads(said.out)["error"]["message"] if "--json" in flags else said.err
        assert f"{said_first} no effect before add" in words, flags
    assert sandbox.requests == []
    assert json.loads(payman("payees", *add, "--json").out)["name"] == "Ada"
    assert json.loads(payman("payees", "--json").out)[-1]["name"] == "Ada"


def test_on_a_live_server_the_order_is_shown_first(
    payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal it needs --yes; with one, the person sees the typed order, one line each, and nothing that hides."""
    monkeypatch.setattr(Settings, "is_live", True)
    add = ("payees", "add", "Ada", "--type", "TEST_RAILS")
    for arguments in (PAY, add):
        said = payman(*arguments)
        assert (said.status, said.out, "--yes" in said.err) == (2, "", True)
    assert sandbox.requests == []
    assert payman("wallets").status == 0
    monkeypatch.setattr(Terminal, "is_interactive", True)
    memo = 'coffee" payman: Amount: "1 TSD'
    said = payman(*PAY, "--memo", memo, "--wallet", "TSD", given="n\n")
    assert [line for line in said.err.splitlines() if line.startswith("payman: ")] == [
        'payman: Payee: "Test Payee"',
        'payman: Amount: "10.00 TSD"',
        'payman: Memo: "coffee\\" payman: Amount: \\"1 TSD"',
        'payman: Wallet: "TSD"',
        f'payman: Server: "{sandbox.base_url}"',
    ]
    assert said.err.endswith("payman: Nothing was sent.\n")
    assert said.status == 1
    assert sandbox.balance() == 1000
    said = payman(*PAY, "--json", given="n\n")
    assert (said.status, json.loads(said.out[said.out.index("{") :])["error"]["class"]) == (1, "NotConfirmed")
    assert payman(*PAY, given="y\n").status == 0
    assert payman(*add, given="n\n").status == 1
    task = task_of(payman("pay", "150", "TSD", "Test Payee", "--json", "--yes"))
    assert payman("payments", "approve", task, given="n\n").status == 1
    assert payman("payments", "approve", task, given="y\n").status == 0
    assert sandbox.balance() == 840


def test_completed_is_explained_where_the_token_may_pay(
    payman: Payman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the words are; not for a token that can only read, nor with --quiet, --json or --raw."""
    words = "completed does not mean paid"
    for flags, is_said in (
        ((), True),
        (("--stream",), True),
        (("--quiet",), False),
        (("--json",), False),
        (("--raw",), False),
    ):
        assert (words in payman("ask", "send 900 TSD to Test Payee", *flags).err) == is_said, flags
    monkeypatch.setattr("payman_sdk._cli.confirm.is_read_only", _reads_only)
    assert words not in payman("ask", "list all wallets").err


def test_errors_are_one_object(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """Class, message, next step, whether it was sent, ids and exit status; standard error still says it in words."""
    members = {
        "class", "message", "next_step", "sent", "task_id", "session_id", "request_id", "idempotency_key", "exit_code",
    }  # fmt: skip
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "another-secret-that-is-wrong")
    for arguments in (PAY, ("ask", "list all wallets"), ("wallets",), ("payees",), ("tasks", "get", "tsk-1")):
        said = payman(*arguments, "--json")
        error = json.loads(said.out)["error"]
        assert set(error) == members, arguments
        assert (said.status, error["class"], error["exit_code"]) == (6, "AuthenticationError", 6), arguments
        assert error["message"] in said.err, arguments
        assert "another-secret" not in said.out + said.err, arguments


def test_the_key_of_the_older_api_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With only PAYMAN_API_SECRET set, the command says what to set instead, and never shows it."""
    monkeypatch.setenv("PAYMAN_API_SECRET", SECRET)
    said = Payman()("wallets")
    assert said.status == 2
    assert "older REST API" in said.err
    assert "PAYMAN_CLIENT_ID" in said.err
