"""The tools that models are given: what they are told of them, and what is checked of their arguments; for all frameworks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, cast

from attrs import field, frozen

from payman_sdk._text.sanitizer import sanitize
from payman_sdk.agents.effects import Flow
from payman_sdk.agents.operation_names import MAX_LENGTH, UnusableNameError, normalize_name
from payman_sdk.agents.results import OperationResult

R = TypeVar("R", covariant=True)

LONGEST_TEXT, LONGEST_NAME = 4000, MAX_LENGTH
"""Characters of a text, and of the name of an operation."""


def _build_parameters(**members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: dict(member) for name, member in members.items()},
        "required": list(members),
        "additionalProperties": False,
    }


def _build_string(description: str, longest: int) -> dict[str, Any]:
    return {"type": "string", "description": description, "minLength": 1, "maxLength": longest}


@frozen
class ToolSpec:
    """What a model is told of a tool.

    Attributes:
        name: Its name, the same in every framework.
        description: What it does and when to use it, for the model.
        parameters: Its arguments, a JSON Schema of an object.
        moves_money: Whether it may move money or change who can be paid.
    """

    name: str
    description: str
    parameters: dict[str, Any] = field(repr=False)
    moves_money: bool


_NAME = (
    "The stable name of the business operation, such as an invoice number: 'invoice-42'. The same payment always has the same "
    "name, another payment another one. Never invent a new name to try again."
)

ASK = ToolSpec(
    "payman_ask",
    "Asks Payman about wallets, balances, payees, transactions or waiting approvals. It only reads: whatever moves money or changes "
    "who can be paid is refused here and belongs to payman_pay.",
    _build_parameters(
        text=_build_string("A plain question, such as 'list all wallets and their balances'.", LONGEST_TEXT)
    ),
    moves_money=False,
)
PAY = ToolSpec(
    "payman_pay",
    "Has Payman do what moves money or changes who can be paid: send a payment, create a payee. An operation is carried out once: "
    "calling again with the same name pays nothing more and tells the first result. If the outcome is unknown, do not pay again; use "
    "payman_check later.",
    _build_parameters(
        text=_build_string(
            "One order in plain words, with the amount in digits, the currency's code and the payee, such as 'send 10 TSD to "
            "John Doe'.",
            LONGEST_TEXT,
        ),
        operation=_build_string(_NAME, LONGEST_NAME),
    ),
    moves_money=True,
)
CHECK = ToolSpec(
    "payman_check",
    "Tells how an operation of payman_pay stands or ended: completed, waiting for an approval, failed or still unknown. It sends nothing.",
    _build_parameters(operation=_build_string("The name that was given to payman_pay.", LONGEST_NAME)),
    moves_money=False,
)
REPLY = ToolSpec(
    "payman_reply",
    "Answers an operation that waits for an approval or for an answer. An approval moves money: give one only if the user said so.",
    _build_parameters(
        operation=_build_string(
            "The name that was given to payman_pay, or the id of the task.", LONGEST_NAME
        ),
        text=_build_string("The answer, such as 'approve' or 'deny'.", LONGEST_TEXT),
    ),
    moves_money=True,
)

TOOLS = (ASK, PAY, CHECK, REPLY)
"""All tools, without a toolkit behind them."""


@frozen
class Tool(Generic[R]):
    """A tool of a toolkit, ready to be called with the arguments that a model gives.

    Attributes:
        spec: What a model is told of it.

    Example:
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     ask, pay, check, reply = PaymanToolkit(client).tools
        ...     print(pay.name, pay.call({"text": "send 10 TSD to Test Payee"}).text[:56])
        payman_pay Nothing was done: the argument operation is missing. The
    """

    spec: ToolSpec
    _flow: Callable[..., Flow[OperationResult]] = field(repr=False)
    _run: Callable[[Flow[OperationResult]], R] = field(repr=False)

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    @property
    def description(self) -> str:
        """What it does, for the model."""
        return self.spec.description

    @property
    def parameters(self) -> dict[str, Any]:
        """Its arguments, a JSON Schema of an object."""
        return self.spec.parameters

    def call(self, arguments: Mapping[str, Any], on_message: Callable[[Any], Any] | None = None) -> R:
        """Calls the tool; arguments that cannot be used have a result that says so. Of an asynchronous toolkit, await it.

        Args:
            arguments: What the model gave.
            on_message: Called with every event while Payman is at work, where the tool sends something.

        Raises:
            ConfigurationError: A mistake of the program, such as a client that is closed.
        """
        return self._run(self._build_flow(arguments, on_message))

    def _build_flow(
        self, arguments: object, on_message: Callable[[Any], Any] | None
    ) -> Flow[OperationResult]:
        problem = find_argument_problem(self.spec, arguments)
        if problem is not None:
            return OperationResult(f"Nothing was done: {problem}", "invalid")
        return (yield from self._flow(**cast("Mapping[str, str]", arguments), on_message=on_message))


def find_argument_problem(spec: ToolSpec, arguments: object) -> str | None:
    """What is wrong with a model's arguments, in a sentence it can act upon; None where nothing is."""
    members: dict[str, dict[str, Any]] = spec.parameters["properties"]
    if not isinstance(arguments, Mapping):
        return f"the arguments are no object. Give {', '.join(members)}."
    given = cast("Mapping[object, object]", arguments)
    for name in given:
        if name not in members:
            shown = sanitize(str(name), one_line=True, max_length=80)
            return f"there is no argument {shown!r}. Give {', '.join(members)}, and nothing else."
    for name, schema in members.items():
        value = given.get(name)
        problem = (
            find_name_problem(value)
            if name == "operation"
            else _find_value_problem(value, schema["maxLength"])
        )
        if problem is not None:
            return f"the argument {name} {problem}. {schema['description']}"
    return None


def find_name_problem(name: object) -> str | None:
    """What is wrong with the name of an operation; None where nothing is."""
    problem = _find_value_problem(name, LONGEST_NAME)
    if problem is None and isinstance(name, str):
        try:
            normalize_name(name)
        except UnusableNameError as error:
            return str(error)
    return problem


def _find_value_problem(value: object, longest: int) -> str | None:
    if value is None:
        return "is missing"
    if not isinstance(value, str):
        return f"is no string but a {type(value).__name__}"
    if not value.strip():
        return "is blank"
    if len(value) > longest:
        return f"has {len(value)} characters, and may have {longest}"
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "holds half a character"
    return None
