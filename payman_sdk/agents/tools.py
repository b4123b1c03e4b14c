"""The tools for models, in every framework: their descriptions and the checks of their arguments."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Generic, TypeVar, cast

from attrs import field, frozen

from payman_sdk._core.effects import Flow
from payman_sdk._core.orders import payees_text, read_payee_order, read_payment_order, transactions_text
from payman_sdk._text.sanitizer import sanitize
from payman_sdk.agents.operation_names import MAX_LENGTH, UnusableNameError, normalize_name
from payman_sdk.agents.results import OperationResult
from payman_sdk.errors import ConfigurationError

R = TypeVar("R", covariant=True)

LONGEST_TEXT, LONGEST_NAME = 4000, MAX_LENGTH
"""Characters of a text, and of the name of an operation."""


def _build_parameters(**members: Mapping[str, Any]) -> dict[str, Any]:
    # As OpenAI's strict mode wants it: every member is required, and what may be missing may be null.
    return {
        "type": "object",
        "properties": {name: dict(member) for name, member in members.items()},
        "required": list(members),
        "additionalProperties": False,
    }


def _string(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _optional(description: str, kind: str = "string") -> dict[str, Any]:
    return {"type": [kind, "null"], "description": f"{description} Null if there is none."}


def _choice(description: str, *values: str, optional: bool = False) -> dict[str, Any]:
    kind: Any = ["string", "null"] if optional else "string"
    return {"type": kind, "enum": [*values, *([None] if optional else [])], "description": description}


@frozen
class ToolSpec:
    """The description of a tool for a model.

    Attributes:
        name: Its name, the same in every framework.
        description: What it does and when to use it, for the model.
        moves_money: Whether it may move money or change who can be paid.
    """

    name: str
    description: str
    _parameters: dict[str, Any] = field(repr=False, alias="parameters")
    moves_money: bool
    _check: Callable[[Mapping[str, Any]], object] | None = field(
        default=None, repr=False, eq=False, alias="check"
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """Its arguments, a JSON Schema of an object. This is a copy: changing it changes no check."""
        return deepcopy(self._parameters)

    def find_order_problem(self, arguments: Mapping[str, Any]) -> str | None:
        """Return what is wrong with the order in arguments of the right types; None where nothing is."""
        try:
            if self._check is not None:
                self._check(arguments)
        except ConfigurationError as error:
            return f"the argument {error.message} {error.next_step or ''}".rstrip()
        return None


_NAME = (
    "The stable name of the business operation, such as an invoice number: 'invoice-42'. The same payment always has the same "
    "name, another payment another one. Never invent a new name to try again."
)

PAY = ToolSpec(
    "payman_pay",
    "Makes one payment. An operation is carried out once: calling again with the same name pays nothing more and returns the first "
    "result. If the outcome is unknown, do not pay again; use payman_check later.",
    _build_parameters(
        payee=_string("Who is paid: the exact name, id, email or paytag of a payee, such as 'Test Payee'."),
        amount=_string("How much, as digits in a string, such as '10.00'. No currency, sign or separator."),
        currency=_string("The code of the currency in capital letters, such as 'TSD'."),
        memo=_optional("What it is for: one line of at most 140 characters."),
        operation=_string(_NAME),
    ),
    moves_money=True,
    check=lambda given: read_payment_order(
        given.get("payee"), given.get("amount"), given.get("currency"), given.get("memo"), None
    ),
)
WALLETS = ToolSpec(
    "payman_wallets", "Lists the wallets and their balances. It changes nothing.", _build_parameters(), moves_money=False
)  # fmt: skip
PAYEES = ToolSpec(
    "payman_payees",
    "Lists who can be paid. It changes nothing.",
    _build_parameters(query=_optional("Part of the name, email, id or paytag of the payees to list.")),
    moves_money=False,
    check=lambda given: payees_text(given.get("query")),
)
TRANSACTIONS = ToolSpec(
    "payman_transactions",
    "Lists the newest transactions, those that wait for approval included. It changes nothing.",
    _build_parameters(limit=_optional("How many, from 1 to 100; 20 by default.", "integer")),
    moves_money=False,
    check=lambda given: transactions_text(20 if given.get("limit") is None else given["limit"], None),
)
CREATE_PAYEE = ToolSpec(
    "payman_create_payee",
    "Creates one payee, so that it can be paid. It pays nothing. Fields that belong to another type are null.",
    _build_parameters(
        name=_string("The name of the payee."),
        type=_choice("What kind of payee.", "TEST_RAILS", "US_ACH", "CRYPTO_ADDRESS", "PAYMAN_WALLET"),
        email=_optional("An email address of the payee."),
        account_holder_name=_optional("US_ACH: who holds the account."),
        account_holder_type=_choice("US_ACH: who the holder is.", "individual", "business", optional=True),
        account_number=_optional("US_ACH: 4 to 17 digits."),
        routing_number=_optional("US_ACH: nine digits."),
        account_type=_choice("US_ACH: the kind of account.", "checking", "savings", optional=True),
        address=_optional("CRYPTO_ADDRESS: the address."),
        chain=_optional("CRYPTO_ADDRESS: the chain, such as 'ethereum'."),
        currency=_optional("CRYPTO_ADDRESS: the code of the currency, such as 'USDC'."),
        paytag=_optional("PAYMAN_WALLET: the paytag of the wallet."),
        operation=_string(_NAME),
    ),
    moves_money=True,
    check=lambda given: read_payee_order(
        given.get("name"),
        given.get("type"),
        {name: value for name, value in given.items() if name not in {"name", "type", "operation"}},
    ),
)
CHECK = ToolSpec(
    "payman_check",
    "Looks an operation up: paid, waiting for an approval, refused, failed or still unknown. It sends nothing.",
    _build_parameters(operation=_string("The name that was given to payman_pay.")),
    moves_money=False,
)
REPLY = ToolSpec(
    "payman_reply",
    "Approves or denies a payment that waits for an approval. An approval moves money: give one only if the user said so.",
    _build_parameters(
        operation=_string("The name that was given to payman_pay, or the id of the task."),
        decision=_choice("The decision.", "approve", "deny"),
    ),
    moves_money=True,
)
ASK = ToolSpec(
    "payman_ask",
    "Asks Payman's agent in free words, for what no other tool does. Never use it to pay; payman_pay does that.",
    _build_parameters(text=_string("The words, at most 4000 characters.")),
    moves_money=True,
)

TOOLS = (PAY, WALLETS, PAYEES, TRANSACTIONS, CREATE_PAYEE, CHECK, REPLY)
"""The tools that every toolkit has, without a toolkit behind them. Some toolkits also have `payman_ask`."""


@frozen
class Tool(Generic[R]):
    """A tool of a toolkit, ready to be called with the arguments that a model gives.

    Attributes:
        spec: Its description for a model.

    Example:
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     pay = PaymanToolkit(client).tools[0]
        ...     print(pay.name, pay.call({"payee": "Test Payee", "amount": "10", "currency": "TSD"}).text[:56])
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
        """Its arguments, a JSON Schema of an object. Changing this copy changes no check."""
        return self.spec.parameters

    def call(self, arguments: Mapping[str, Any], on_message: Callable[[Any], Any] | None = None) -> R:
        """Call the tool; arguments that cannot be used have a result that says so. Of an asynchronous toolkit, await it.

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
        return (yield from self._flow(**cast("Mapping[str, Any]", arguments), on_message=on_message))


def find_argument_problem(spec: ToolSpec, arguments: object) -> str | None:
    """Return what is wrong with a model's arguments, in a sentence it can act upon; None where nothing is."""
    members: dict[str, dict[str, Any]] = spec.parameters["properties"]
    if not isinstance(arguments, Mapping):
        return f"the arguments are not an object. Give {', '.join(members)}."
    given = cast("Mapping[object, object]", arguments)
    for name in given:
        if name not in members:
            shown = sanitize(str(name), one_line=True, max_length=80)
            return f"unknown argument {shown!r}. Give {', '.join(members)}, and nothing else."
    for name, schema in members.items():
        value = given.get(name)
        problem = find_name_problem(value) if name == "operation" else find_value_problem(value, schema)
        if problem is not None:
            return f"the argument {name} {problem}. {schema['description']}"
    return spec.find_order_problem(cast("Mapping[str, Any]", given))


def find_name_problem(name: object) -> str | None:
    """Return what is wrong with the name of an operation; None where nothing is."""
    problem = find_value_problem(name, {"type": "string"}, LONGEST_NAME)
    if problem is None and isinstance(name, str):
        try:
            normalize_name(name)
        except UnusableNameError as error:
            return str(error)
    return problem


def find_value_problem(value: object, schema: Mapping[str, Any], longest: int = LONGEST_TEXT) -> str | None:
    """Return what is wrong with a value of a schema; None where nothing is."""
    if value is None:
        return None if "null" in schema["type"] else "is missing"
    if "integer" in schema["type"]:
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        return None if is_integer else f"must be an integer, not {type(value).__name__}"
    if not isinstance(value, str):
        return f"must be a string, not {type(value).__name__}"
    if not value.strip():
        return "is blank"
    if len(value) > longest:
        return f"has {len(value)} characters, and may have {longest}"
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return "holds an unpaired surrogate"
    if value not in schema.get("enum", (value,)):
        return f"is none of {', '.join(repr(one) for one in schema['enum'] if one is not None)}"
    return None
