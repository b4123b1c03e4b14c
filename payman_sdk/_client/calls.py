"""What is asked in a session, checked and planned for both kinds of clients, which carry the flows out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from payman_sdk._annotations import Hidden, LazyModule, NamedTuple
from payman_sdk._client.typed_interface import TypedCallInterface
from payman_sdk._config import Config, check_headers, check_hook, read_text
from payman_sdk._refusals import describe_value, is_coroutine_function, refuse, refuse_coroutine
from payman_sdk.errors import ConfigurationError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._core import payment_flows
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._core.effects import Flow
    from payman_sdk._core.operations import DescribedFlow, Operations
    from payman_sdk._core.options import CallOptions
    from payman_sdk._core.payment_types import Payee, Payment
    from payman_sdk._core.response_format import ResponseFormat
    from payman_sdk._core.stream import StreamFlow
    from payman_sdk._core.task_response import FormattedTaskResponse, TaskResponse
else:
    payment_flows = LazyModule("payman_sdk._core.payment_flows")

T = TypeVar("T")
RunnerT = TypeVar("RunnerT")

Json = Mapping[str, Any]
Headers = Mapping[str, str]
TaskRef = str | Hidden[Mapping[str, Any] | PaymanError]
"""The id of a task, or an answer or an error about it; methods take a `Payment`, too."""

_HOOKS = ("on_message", "on_event", "on_retry", "on_task", "on_token", "before_send")


class APIConnection(NamedTuple, Generic[RunnerT]):
    """What a client makes on first use."""

    runner: RunnerT
    tokens: TokenManager
    agent: Operations


class Session:
    """The session that asks belong to; clients of the same connections share it."""

    __slots__ = ("id",)

    def __init__(self, session_id: str | None) -> None:
        self.id = session_id or ""
        if not session_id:
            self.start_anew()

    def start_anew(self) -> None:
        """Begin another session."""
        from payman_sdk._core.requests import generate_id

        self.id = generate_id("ses")


class BaseCalls(TypedCallInterface, Generic[RunnerT]):
    """Plans what is asked in a session. `given` are the arguments of a method by their names."""

    _config: Config
    _defaults: tuple[Config | None, Any] = None, None
    """The settings, and the options of a call that is given none."""
    _session: Session
    _awaits: bool = False
    """Whether hooks may be coroutine functions."""
    _connection: APIConnection[RunnerT] | None = None
    _original: Self | None = None
    """Whose connections it uses, if it was made by `with_options`; that client may renew or close them at any time."""
    _closed = False
    _process: int | None = None
    """The process that alone may use the connection: that in which connections which were given were first used."""

    def _connect(self) -> APIConnection[RunnerT]:
        """Return the connection, made on first use. Refuses a closed client, and an `http_client` of the parent process."""
        connection = self._connection
        if connection is None or self._original is not None:
            connection = self._open()
        self._refuse_if_closed()
        if self._process is not None and self._process != os.getpid():
            raise ConfigurationError(
                "http_client was used before this process was forked; its connections belong to the parent process.",
                next_step="Create the http_client after the fork, or pass a transport instead.",
            )
        return connection

    def _open(self) -> APIConnection[RunnerT]:
        """Return the connection that is to be used now."""
        raise NotImplementedError

    def _refuse_if_closed(self) -> None:
        """Refuse what is asked of a client that is closed."""
        if self._closed:
            raise ConfigurationError(
                "This client has been closed.", next_step="Create a new client.", sent=False
            )

    def get_session_id(self) -> str:
        """Return the id of the session that the next ask belongs to (`ses-…`)."""
        return self._session.id

    def _plan(self, plan: Callable[..., T], *given: Any) -> T:
        """Return what a call is to do; a refusal says that nothing is done."""
        try:
            return plan(*given)
        except ConfigurationError as error:
            error.sent = False
            raise

    def _plan_ask(self, given: Mapping[str, Any]) -> DescribedFlow[FormattedTaskResponse | TaskResponse]:
        options = self._resolve(given, "ask", text=given["text"])
        wanted = self._read_format(given["response_format"], options)
        session_id = self._begin(options)
        text = given["text"] if wanted is None else wanted.request(given["text"])
        plan = self._connect().agent.ask(text, session_id, options)
        return plan if wanted is None else plan.then(wanted.read_answer)

    def _plan_stream(self, given: Mapping[str, Any]) -> tuple[RunnerT, Operations, StreamFlow]:
        options = self._resolve(given, "stream", text=given["text"])
        session_id = self._begin(options)
        runner, _, agent = self._connect()
        return runner, agent, agent.build_stream(given["text"], session_id, options)

    def _plan_reply(self, given: Mapping[str, Any]) -> DescribedFlow[FormattedTaskResponse]:
        """Return an answer to a task, in the session of the task."""
        from payman_sdk._core.exchange import get_earlier_artifacts
        from payman_sdk._core.options import read_task_id

        task = given["task"]
        task_id, earlier = read_task_id(task), get_earlier_artifacts(task)
        options = self._resolve(given, "reply", text=given["text"])
        answer: Mapping[str, Any] = cast("Mapping[str, Any]", task) if isinstance(task, Mapping) else {}
        session_id = (
            answer.get("session_id") or answer.get("sessionId") or getattr(given["task"], "session_id", None)
        )
        agent = self._connect().agent
        session_id = session_id or self._begin(options)
        plan = agent.ask(given["text"], session_id, options, task_id=task_id, earlier=earlier)
        return cast("DescribedFlow[FormattedTaskResponse]", plan)

    def _plan_payment(self, given: Mapping[str, Any]) -> DescribedFlow[Payment]:
        from payman_sdk._core.orders import PaymentOrder, read_payment_order

        order = read_payment_order(*map(given.get, PaymentOrder._fields))
        call = self._build_call("pay", given)
        paid = call.plan_ask(order.text()).then(partial(payment_flows.pay, call, order))
        return paid.then(call.agent.count_undetermined)

    def _plan_decision(self, what: str, given: Mapping[str, Any]) -> DescribedFlow[Payment]:
        payment = given["payment"]
        payment_flows.check_waiting(payment)
        call = self._build_call(what, given)
        reply = payment_flows.plan_decision(call, payment, approve=what == "approve")
        settled = reply.then(partial(payment_flows.settle, call, payment))
        return settled.then(call.agent.count_undetermined)

    def _plan_status(self, given: Mapping[str, Any]) -> Flow[Payment]:
        payment_flows.check_has_task(given["payment"])
        return payment_flows.read_status(self._build_call("payment_status", given), given["payment"])

    def _plan_list(self, what: str, given: Mapping[str, Any], *of: Any) -> Flow[list[Any]]:
        from payman_sdk._core import listings, orders

        text, read = getattr(orders, f"{what}_text")(*of), getattr(listings, f"read_{what}")
        call = self._build_call(what, given)
        return call.agent.read(text, call.session_id, call.options, read)

    def _plan_payee(self, given: Mapping[str, Any]) -> DescribedFlow[Payee]:
        from payman_sdk._core.orders import PAYEE_FIELDS, read_payee_order

        order = read_payee_order(given["name"], given["type"], {name: given[name] for name in PAYEE_FIELDS})
        call = self._build_call("create_payee", given)
        return call.plan_ask(order.text()).then(partial(payment_flows.create_payee, order))

    def _build_call(self, what: str, given: Mapping[str, Any]) -> payment_flows.Call:
        """Return a typed call, in a session that may begin with it."""
        from payman_sdk._core.effects import Stopwatch

        options = self._resolve(given, what)
        verify, on_event = given.get("verify", True), given.get("on_event")
        if not isinstance(verify, bool):
            raise ConfigurationError(f"verify is {describe_value(verify)}.", next_step="Use True or False.")
        check_hook(on_event, "on_event")
        session_id, agent = self._begin(options), self._connect().agent
        options = options._replace(on_message=on_event)
        return payment_flows.Call(agent, session_id, options, verify, Stopwatch(agent.clock))

    def _resolve(self, given: Mapping[str, Any], what: str, text: Any = "-") -> CallOptions:
        """Return the options of a call; refuse a text or an option that is unusable before the session changes."""
        from payman_sdk._core import options as options_of
        from payman_sdk._core.requests import check_text

        check_text(text)
        config, defaults = self._defaults
        if defaults is None or config is not self._config:
            defaults = options_of.build_default_options(self._config)
            self._defaults = self._config, defaults
        options: CallOptions = defaults
        if given.get("raw") or any(given.get(name) is not None for name in options_of.NONE_IF_ABSENT):
            options = options_of.resolve_options(defaults, given, given.get("options"), what)
        self._refuse_if_closed()
        if options is not defaults or "on_event" in given:
            self._check_hooks({name: getattr(options, name, given.get(name)) for name in _HOOKS})
            check_headers(self._config, options.headers, "extra_headers")
        return options

    def _begin(self, options: CallOptions) -> str:
        """Return the session of a call, which may begin with it."""
        if options.new_session:
            self._session.start_anew()
        return self._session.id

    def _read_format(self, given: Any, options: CallOptions) -> ResponseFormat[Any] | None:
        if given is None:
            return None
        from payman_sdk._core.response_format import read_response_format

        if options.is_raw:
            refuse("response_format", "and raw=True exclude each other", "Remove one of them.")
        return read_response_format(given)

    def _check_hooks(self, given: Mapping[str, Any]) -> None:
        """Refuse hooks that the client cannot await."""
        for name in _HOOKS:
            if not self._awaits and given.get(name) is not None and is_coroutine_function(given[name]):
                refuse_coroutine(name, "PaymanClient")


class BaseConversation(BaseCalls[RunnerT]):
    """A separate session on the connections and the token of a client."""

    def __init__(self, client: BaseCalls[RunnerT], session_id: str | None) -> None:
        self._session, self._config = Session(read_text(session_id, "session_id")), client._config
        self._client = client

    def _open(self) -> APIConnection[RunnerT]:
        return self._client._connect()

    def _refuse_if_closed(self) -> None:
        self._client._refuse_if_closed()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session.id}>"
