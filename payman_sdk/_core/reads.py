"""The flow of what only reads: repeated at once when it fails, each time as a task of its own, because it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from payman_sdk._core.auth.authenticate import send_authenticated
from payman_sdk._core.auth.tokens import TokenManager
from payman_sdk._core.effects import CallHook, Flow
from payman_sdk._core.formatting import format_task
from payman_sdk._core.polling import wait_for_end
from payman_sdk._core.requests import AskRequest, generate_id
from payman_sdk._core.responses import find_inconclusive_error, read_answer
from payman_sdk._core.retry import CallContext, retry_read
from payman_sdk.errors import PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import OutgoingAsk
    from payman_sdk._core.task_response import FormattedTaskResponse

T = TypeVar("T")


def read_repeatedly(
    ask: AskRequest,
    tokens: TokenManager,
    time: CallContext,
    read: Callable[[FormattedTaskResponse], T],
    before_send: Callable[[OutgoingAsk], Any] | None,
) -> Flow[T]:
    """Ask for something that changes nothing, and return what `read` makes of the answer.

    Args:
        ask: What is asked. Its task id is that of the first attempt.
        tokens: Where the requests get their token.
        time: The time there is.
        read: Reads the answer. A `ResponseValidationError` of it counts as an attempt that failed.
        before_send: Consulted before anything is sent; what it raises comes out unchanged.

    Raises:
        PaymanError: The last failure.
    """
    if before_send is not None:
        began = time.clock()
        yield CallHook(before_send, ask.to_outgoing())
        time = time.extend(time.clock() - began)
    asks = iter((ask,))

    def attempt() -> Flow[T]:
        one = next(asks, None) or ask._replace(task_id=generate_id("tsk"), request_id=generate_id("req"))
        try:
            answer = yield from send_authenticated(
                one.build_request(), tokens, time.deadline, time.patience, watch=time.watch
            )
            if (failure := find_inconclusive_error(answer)) is not None:
                raise failure
            known = read_answer(answer, one.request_id, one.task_id)
            _, task = yield from wait_for_end(one.task_id, tokens, time, or_rests=True, known=known)
        except PaymanError as error:
            error.add_context(**one.get_ids())
            raise
        return read(format_task(task, request_id=one.request_id, session_id=one.session_id))

    return (yield from retry_read(attempt, time, ask.task_id))
