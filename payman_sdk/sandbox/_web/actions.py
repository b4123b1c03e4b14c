"""What a person decides: a form in, a change made, and the next page; or what is wrong with the form."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import TypeAlias, cast

from payman_sdk.sandbox._agent import tasks
from payman_sdk.sandbox._agent.language.patterns import read_amount
from payman_sdk.sandbox._agent.serialization import TaskWatcher
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import Account, Policy
from payman_sdk.sandbox._oauth import clients
from payman_sdk.sandbox._oauth.grants import Access
from payman_sdk.sandbox._server.service import Service
from payman_sdk.sandbox._server.stream_faults import StreamFault, StreamFaults
from payman_sdk.sandbox._web import account_views
from payman_sdk.sandbox._web.account_views import PolicyField
from payman_sdk.sandbox._web.origins import build_link
from payman_sdk.sandbox.scripting import (
    ConnectionLost,
    Entry,
    HTTPError,
    NotTakenError,
    RPCError,
    ScriptedResponse,
)

_LONGEST_PROMPT, _MOST_FAULTS = 10_000, 100
_SOON = {"Retry-After": "1"}


@dataclass(frozen=True)
class Choice:
    """A fault that can be chosen: what goes wrong, and what it shows of a client."""

    label: str
    hint: str
    fault: HTTPError | RPCError | ConnectionLost | StreamFault


CHOICES: Mapping[str, Choice] = {
    "unavailable": Choice(
        "503, not taken", "Says to try again in a second. Nothing is done.", HTTPError(503, headers=_SOON)
    ),
    "rate-limit": Choice(
        "429, rate limit", "Says to try again in a second. Nothing is done.", HTTPError(429, headers=_SOON)
    ),
    "error": Choice("500, not taken", "Nothing is done, but the client cannot know.", HTTPError(500)),
    "error-taken": Choice(
        "500, carried out", "Everything is done, but the answer is an error.", HTTPError(500, taken=True)
    ),
    "unauthorized": Choice("401, not taken", "As if the token had ended.", HTTPError(401)),
    "rpc": Choice("JSON-RPC error -32603", "An internal error; nothing is done.", RPCError(-32603)),
    "lost": Choice("Answer lost", "Everything is done, then the connection breaks.", ConnectionLost()),
    "request-lost": Choice(
        "Request lost", "The connection breaks; nothing is done.", ConnectionLost(taken=False)
    ),
    "silence": Choice("Silence", "Everything is done, and no answer comes.", ConnectionLost(silent=True)),
    "stream-breaks": Choice(
        "Stream breaks after 2 events", "The connection drops between events.", StreamFault(after_events=2)
    ),
    "stream-cut": Choice(
        "Stream breaks within an event", "The connection drops after 100 bytes.", StreamFault(after_bytes=100)
    ),
    "stream-comments": Choice(
        "Stream of comments", "Only signs of life come, without end.", StreamFault(keep_alives=True)
    ),
    "stream-json": Choice(
        "No stream, but JSON", "The whole answer comes at once.", StreamFault(as_json=True)
    ),
    "stream-502": Choice("502 in place of a stream", "The task is carried out.", StreamFault(status=502)),
}
"""What the page offers; the ones that begin with `stream` are for the next stream."""

Form: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class PageContext:
    """What the page is about: what the endpoints do, and the faults of the next streams."""

    service: Service
    faults: StreamFaults


@dataclass(frozen=True)
class PageRedirect:
    """It is done: the browser goes to that address of the page."""

    address: str


@dataclass(frozen=True)
class FormError:
    """Nothing was changed: the page is shown again, with the input and the problem, of `field` or of no single one."""

    page: str
    problem: str
    field: str | None
    typed: Form
    policy: list[PolicyField] | None = None


Decision: TypeAlias = PageRedirect | FormError
Action: TypeAlias = Callable[[PageContext, Account, Form], Decision]


def decide(room: PageContext, account: Account, form: Form) -> Decision:
    wish = form.get("decision")
    if wish not in ("approve", "deny"):
        return FormError("overview", "Choose Approve or Deny.", None, form)
    with room.service.store.transaction() as tx:
        payment = payments.find(tx, account, form.get("payment", ""))
        if payment is None:
            return FormError("overview", "This payment does not exist any more.", None, form)
        said = "late"
        if payment.status == "AWAITING_APPROVAL":
            tasks.settle(tx, room.service.world, account, payment.task_id, approve=wish == "approve")
            settled = payments.find(tx, account, payment.id)
            paid = settled is not None and settled.status == "INITIATED"
            said = "paid" if paid else "denied" if wish == "deny" else "refused"
    return PageRedirect(build_link("", account=account.id, said=said, payment=payment.id))


def ask(room: PageContext, account: Account, form: Form) -> Decision:
    """Ask as an app would: a new task, one in a session, or an answer to a task that waits."""
    text = form.get("prompt", "").replace("\r\n", "\n").strip()
    if not text:
        return FormError("overview", "Prompt: write what to ask, such as: list all wallets.", "prompt", form)
    if len(text) > _LONGEST_PROMPT:
        problem = f"Prompt: {len(text):,} characters are too many; write {_LONGEST_PROMPT:,} at most."
        return FormError("overview", problem, "prompt", form)
    service = room.service
    with service.store.transaction() as tx:
        access = Access(
            account, account_views.find_scopes(tx, service.world, account, form.get("scopes", ""))
        )
        ids: dict[str, str] = {"id": service.world.new_id("tsk")}
        if number := form.get("reply") or form.get("session"):
            known = tasks.find_by_number(
                tx, account, int(number) if re.fullmatch("[0-9]{1,9}", number) else 0
            )
            ids |= {"sessionId": known.session_id} | ({"id": known.id} if form.get("reply") else {})
    message = {"role": "user", "parts": [{"type": "text", "text": text}]}
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tasks/sendSubscribe",
        "params": {**ids, "message": message},
    }
    try:
        answer = service.call(access, "tasks/sendSubscribe", json.dumps(request).encode())
    except NotTakenError as refused:
        problem = f"An app would have got no answer to this: {describe_entry(refused.failure)}."
        return FormError("overview", problem, None, form)
    if not isinstance(answer, TaskWatcher):
        error = cast("Mapping[str, object]", answer["error"])
        return FormError("overview", f"An app would have got this error: {error['message']}.", None, form)
    with service.store.transaction() as tx:
        number = str(tasks.find_number(tx, account, ids["id"]))
    query = {} if answer.mishap is None else {"said": "mishap"}
    return PageRedirect(build_link("task", account=account.id, number=number, **query))


def set_policy(room: PageContext, account: Account, form: Form) -> Decision:
    """Change the policy of a wallet, all amounts or none."""
    with room.service.store.transaction() as tx:
        wallet = next(
            (one for one in accounts.list_wallets(tx, account) if one.id == form.get("wallet")), None
        )
        if wallet is None:
            return FormError(
                "policy", "This wallet does not exist any more; load the page again.", None, form
            )
        amounts: dict[str, int] = {}
        fields: list[PolicyField] = []
        for field in account_views.view_policy(wallet):
            text = form.get(field.name, "").strip()
            read = _parse_amount(text)
            if isinstance(read, str):
                fields.append(replace(field, text=text, error=f"{field.label}: {read}"))
            else:
                amounts[field.name] = read
                fields.append(replace(field, text=text))
        if len(amounts) < len(fields):
            first = next(field.name for field in fields if field.error)
            return FormError("policy", "Nothing was saved.", first, form, fields)
        accounts.set_policy(tx, wallet.id, Policy(**amounts))
    return PageRedirect(build_link("policy", account=account.id, said="policy"))


def _parse_amount(text: str) -> int | str:
    """Return an amount in minor units, or what is wrong with it."""
    if not text:
        return "write an amount, such as 100.00."
    if not text.replace("0", "").strip("."):
        return 0
    read = read_amount(text)
    if isinstance(read, Decimal):
        return ledger.to_minor(read)
    return "write an amount in TSD without a sign, such as 100.00 or 1,000.00."


def revoke(room: PageContext, account: Account, form: Form) -> Decision:
    kind = form.get("kind")
    if kind not in ("consent", "credentials"):
        return FormError("apps", "Choose what to revoke.", None, form)
    with room.service.store.transaction() as tx:
        clients.revoke_authorization(tx, account.client_id, by_credentials=kind == "credentials")
    return PageRedirect(build_link("apps", account=account.id, said="revoked"))


def allow_again(room: PageContext, account: Account, form: Form) -> Decision:
    with room.service.store.transaction() as tx:
        clients.allow_credentials(tx, account.client_id)
    return PageRedirect(build_link("apps", account=account.id, said="allowed"))


def add_fault(room: PageContext, account: Account, form: Form) -> Decision:
    choice = CHOICES.get(form.get("fault", ""))
    if choice is None:
        return FormError("faults", "Fault: choose one of them.", "fault", form)
    if len(room.service.script) + len(room.faults) >= _MOST_FAULTS:
        return FormError("faults", "Fault: there are too many already; switch them off first.", "fault", form)
    if isinstance(choice.fault, StreamFault):
        room.faults.add([choice.fault])
    else:
        room.service.script.add([choice.fault])
    return PageRedirect(build_link("faults", account=account.id, said="fault"))


def clear_faults(room: PageContext, account: Account, form: Form) -> Decision:
    room.service.script.clear()
    room.faults.clear()
    return PageRedirect(build_link("faults", account=account.id, said="cleared"))


def reset(room: PageContext, account: Account, form: Form) -> Decision:
    if form.get("sure") != "yes":
        return FormError("faults", "Reset: tick the box first; everything is forgotten.", "sure", form)
    with room.service.store.transaction() as tx:
        accounts.reset_accounts(tx, room.service.world)
    room.service.script.clear()
    room.faults.clear()
    return PageRedirect(build_link("", account=account.id, said="reset"))


def list_queued(entries: Sequence[Entry]) -> list[str]:
    return [describe_entry(entry) for entry in entries]


def describe_entry(entry: Entry) -> str:
    for choice in CHOICES.values():
        if choice.fault == entry:
            return choice.label
    match entry:
        case None:
            return "Nothing wrong"
        case str(text):
            return f"Says: {text}"
        case ScriptedResponse(text=text, state=state):
            return f"Says: {text or 'nothing'} ({state})"
        case HTTPError(status, taken=taken):
            return f"{status}, {'carried out' if taken else 'not taken'}"
        case RPCError(code):
            return f"JSON-RPC error {code}"
        case ConnectionLost():
            return "Answer lost"
        case StreamFault():
            said = {field.name: getattr(entry, field.name) for field in fields(entry)}
            return ", ".join(
                f"stream {name.replace('_', ' ')}: {value}" for name, value in said.items() if value
            )


ACTIONS: Mapping[str, Action] = {
    "decide": decide,
    "ask": ask,
    "policy": set_policy,
    "revoke": revoke,
    "allow": allow_again,
    "faults": add_fault,
    "clear": clear_faults,
    "reset": reset,
}
"""Where forms are sent to, below the page's address."""
