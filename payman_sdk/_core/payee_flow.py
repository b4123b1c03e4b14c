"""The flow that creates a payee: ordered once, and read from the one object of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payman_sdk._core import listings
from payman_sdk._core.effects import Flow
from payman_sdk._core.formatting import build_failure, get_ids
from payman_sdk._core.json_answer import NoObjectError, find_object
from payman_sdk._core.orders import PayeeOrder
from payman_sdk._core.payment_flows import Call, send_order
from payman_sdk._core.payment_types import Payee
from payman_sdk._core.payments import fold
from payman_sdk._core.wire_json import as_object
from payman_sdk._text.error_response import shorten
from payman_sdk.errors import OutcomeUnknownError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.operations import Operations


def create_payee(agent: Operations, order: PayeeOrder, call: Call) -> Flow[Payee]:
    """Create a payee, and return it as the agent describes it."""
    response = yield from send_order(agent, order.text(), call)
    try:
        listings.check_completed(response)
        value = find_object(response, response.artifacts).value
        reason = listings.text_or_none(value, "reason")
        found = as_object(value.get("payee"))
        if value.get("status") == "refused":
            raise build_failure(
                response, f"The payee was not created: {shorten(reason or 'no reason was given')}"
            )
        if value.get("status") in {"created", "exists"} and found is not None:
            payee = listings.read_payee(found, response)
            if _is_same(payee, order):
                return payee
        problem = "it is about another payee"
    except PaymanError:
        raise
    except Exception as error:  # the answer's, or the SDK's own
        is_answer = isinstance(error, NoObjectError | listings.InvalidObjectError)
        problem = str(error) if is_answer else type(error).__name__
    raise OutcomeUnknownError(
        f"Whether the payee was created is not known. {listings.unreadable(response, problem).message}",
        next_step="See client.payees(name) before you create it again.",
        **get_ids(response),
        sent=True,
    )


def _is_same(payee: Payee, order: PayeeOrder) -> bool:
    email = order.fields.get("email")
    return (
        fold(payee.name) == fold(order.name)
        and (payee.type is None or fold(payee.type) == fold(order.type))
        and (email is None or payee.email is None or fold(payee.email) == fold(email))
    )
