"""From an order to a payment, and from a decision to its end: which payee, wallet or waiting payment is meant.

If that is not certain, nobody is paid and nothing is decided.
"""

from dataclasses import dataclass

from payman_sdk.sandbox._agent import markdown
from payman_sdk.sandbox._agent.language.intents import Pay, Reading
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import Account, PayeeAccount, WalletAccount, fold_name
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.ledger import RefusedError
from payman_sdk.sandbox._ledger.payments import SandboxPayment
from payman_sdk.sandbox._ledger.store import Transaction


@dataclass(frozen=True)
class PaymentResult:
    """The result of an order: the answer in markdown, and whether the payment waits for approval, or is refused."""

    text: str
    waits: bool = False
    refused: bool = False


@dataclass(frozen=True)
class _Choice:
    """The one reading of an order that the account's payees allow."""

    reading: Reading
    payee: PayeeAccount
    sure: bool


def pay(
    tx: Transaction,
    world: SandboxEnvironment,
    account: Account,
    task_number: int,
    order: Pay,
    *,
    show_balance: bool,
) -> PaymentResult:
    """Make the payment, let it wait for approval, or say why there is none.

    It waits if the amount is above the wallet's threshold. It also waits if the order is a question ("Pay Tyllen 50$?"), or gives
    only part of the payee's name.
    """
    try:
        choice = _choose(tx, account, order)
        wallet = _choose_wallet(tx, account, choice.reading)
        payment = payments.propose(
            tx,
            world,
            account,
            task_number=task_number,
            wallet=wallet,
            payee=choice.payee,
            amount=ledger.to_minor(choice.reading.amount),
            description=choice.reading.description,
            ask=order.asked or not choice.sure,
        )
    except RefusedError as refusal:
        return PaymentResult(f"No payment was made: {refusal}.", refused=True)
    what = f"**{markdown.format_amount(payment)}** to **{markdown.escape(payment.payee)}**"
    about = f" for {markdown.escape(payment.description)}" if payment.description else ""
    if payment.status == "INITIATED":
        sent = f"Sent {what}{about} (`{payment.id}`)."
        if not show_balance:
            return PaymentResult(sent)
        left = markdown.format_money(ledger.read_balance(tx, wallet.book), wallet.currency)
        return PaymentResult(f"{sent}\n\nYour {wallet.currency} wallet holds {left} now.")
    if ledger.to_minor(payment.amount) > wallet.policy.approval_above:
        why = f"it is above {markdown.format_money(wallet.policy.approval_above, wallet.currency)}"
    elif order.asked:
        why = "that was a question, not an order"
    else:
        why = "you gave a part of the name only"
    return PaymentResult(
        f"Approval needed: {what}{about} (`{payment.id}`), because {why}.\n\n"
        'No payment was made yet. Say "approve" or "deny".',
        waits=True,
    )


def _choose(tx: Transaction, account: Account, order: Pay) -> _Choice:
    """Return the reading whose payee the account has; RefusedError for none or several."""
    for rival in order.rivals:
        if accounts.match_payees(tx, account, rival).exact:
            raise RefusedError(
                f'the amount may be a part of the name "{markdown.escape(rival.text)}"; '
                "write it like `send 10 TSD to John Doe`"
            )
    matches = [(reading, accounts.match_payees(tx, account, reading.payee)) for reading in order.readings]
    for sure in (True, False):
        fitting = [
            (reading, payee) for reading, found in matches if found.exact is sure for payee in found.payees
        ]
        if not fitting:
            continue
        if len({payee.id for _, payee in fitting}) > 1:
            lines = "; ".join(dict.fromkeys(markdown.format_payee(payee) for _, payee in fitting))
            raise RefusedError(
                f"several payees may be meant, so name one by its id, email or in quotes: {lines}"
            )
        if len({(reading.amount, reading.currency, reading.wallet) for reading, _ in fitting}) > 1:
            raise RefusedError("there is more than one way to read the amount or the wallet")
        reading, payee = fitting[0]
        return _Choice(reading, payee, sure)
    name = markdown.escape(min((reading.payee.text for reading in order.readings), key=len))
    raise RefusedError(
        f'you have no payee "{name}"; create one first, or list all payees to see whom you can pay'
    )


def _choose_wallet(tx: Transaction, account: Account, reading: Reading) -> WalletAccount:
    """Return the wallet to pay from; RefusedError where the account has none such."""
    if reading.wallet is None:
        found = accounts.list_wallets(tx, account)
    else:
        found = accounts.match_wallets(tx, account, reading.wallet)
        if not found:
            raise RefusedError(f'you have no wallet "{markdown.escape(reading.wallet)}"')
    if reading.currency is not None:
        found = [wallet for wallet in found if wallet.currency == reading.currency]
        if not found:
            raise RefusedError(f"you have no wallet that holds {reading.currency}")
    if len(found) != 1:
        raise RefusedError("say from which wallet")
    return found[0]


@dataclass(frozen=True)
class Settlement:
    """How a waiting payment ended: the task that waited for it, and the answer in markdown."""

    task_id: str
    text: str


def settle(
    tx: Transaction, world: SandboxEnvironment, payment: SandboxPayment, *, approve: bool
) -> Settlement:
    what = f"**{markdown.format_amount(payment)}** to **{markdown.escape(payment.payee)}**"
    if not approve:
        payments.reject(tx, payment)
        return Settlement(payment.task_id, f"Denied: {what}. No payment was made (`{payment.id}`).")
    try:
        payments.approve(tx, world, payment)
    except RefusedError as refusal:
        text = f"Approved, but refused: {refusal}. No payment was made: {what} (`{payment.id}`)."
        return Settlement(payment.task_id, text)
    return Settlement(payment.task_id, f"Approved. Sent {what} (`{payment.id}`).")


def is_reference_to(reference: str | None, payment: SandboxPayment) -> bool:
    """Whether a reference fits a payment: its id, its task's, or its payee; no reference fits every payment."""
    if reference is None or reference in (payment.id, payment.task_id, payment.payee_id):
        return True
    wanted, name = fold_name(reference), fold_name(payment.payee)
    return wanted == name or name.startswith(f"{wanted} ")


def resolve_payment(
    tx: Transaction, account: Account, session_id: str, reference: str | None
) -> SandboxPayment | str:
    """Return the waiting payment that a reference means, or, as a sentence, why it is not clear which.

    An id reaches every waiting payment of the account; a name, or no reference, those of the session.
    """
    waiting = payments.list_waiting(tx, account)
    for payment in waiting:
        if reference in (payment.id, payment.task_id):
            return payment
    here = [
        payment
        for payment in waiting
        if payment.session_id == session_id and is_reference_to(reference, payment)
    ]
    match here:
        case [payment]:
            return payment
        case []:
            what = f' for "{markdown.escape(reference)}"' if reference else ""
            return f"Nothing waits for approval{what} in this session."
        case several:
            lines = markdown.format_bullets([markdown.format_payment(payment) for payment in several])
            return f"Several payments wait for approval; name one by its id:\n\n{lines}"
