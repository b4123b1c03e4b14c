"""What annotations of the public surface are made of, so that they can be evaluated at run time and read by frameworks.

Frameworks such as FastAPI and LangChain make schemas of them. Hooks and settings appear in no schema: neither a language model nor
a visitor of a web page can set them.
"""

from __future__ import annotations

import sys
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, Required, TypeAlias, get_origin, get_type_hints

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple

    from typing_extensions import TypeVar

    ParsedT = TypeVar("ParsedT", default=Any)
else:
    from typing import TypeVar

    ParsedT = TypeVar("ParsedT")

    class _NamedTupleType(type):
        """Makes named tuples as `typing` does, but does not compile their annotations, which takes most of the time."""

        def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> type:
            fields = members["__annotations__"]
            defaults = [members.pop(field) for field in fields if field in members]
            made = namedtuple(name, fields, defaults=defaults, module=members["__module__"])  # noqa: PYI024
            for member, value in members.items():
                setattr(made, member, value)
            return made

    NamedTuple = type.__new__(_NamedTupleType, "NamedTuple", (), {})
"""What an answer is read as. Without a format nothing says so: type checkers take the default, which Python knows from 3.13 on."""

T = TypeVar("T")


class LazyModule:
    """A module that is imported when a name of it is first used: an annotation costs nothing until somebody evaluates it.

    Without a name, each public name comes from its own module.
    """

    def __init__(self, name: str = "") -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(import_module(self._name or _find_home(name)), name)
        except ModuleNotFoundError:  # of an extra that is not installed; nobody can give what is of it
            return Any


_HOMES = {
    name: home
    for home, names in {
        "_client.async_": "AsyncConversation AsyncPaymanClient",
        "_client.async_task_stream": "AsyncTaskStream",
        "_client.config_types": "Environment PaymanConfig",
        "_client.login": "login",
        "_client.sync": "Conversation PaymanClient",
        "_client.task_stream": "TaskStream",
        "_config": "Resend",
        "_core.auth.grants": "TokenInfo",
        "_core.auth.authorization": "AuthorizationRequest Scope authorization_url parse_redirect",
        "_core.auth.stored_token": "StoredToken TokenStore",
        "_core.events": "ArtifactUpdate OnAnswer OnEvent StatusUpdate StreamEvent UnknownUpdate",
        "_core.key_store": "KeyStore",
        "_core.hook_payloads": "BeforeSend OnRetry OnTask OnToken OutgoingAsk RetryDetails TaskStateChange TokenRefresh",
        "_core.option_types": (
            "AskOptions JsonAskOptions MarkdownAskOptions OutputFormat PayOptions RawAskOptions ReadOptions "
            "ReplyOptions SettleOptions StreamOptions"
        ),
        "_core.payment_types": "Payee PayeeType Payment PaymentOutcome Transaction Wallet",
        "_core.task_response": "Artifact FormattedTaskResponse ParsedResponse Status TaskResponse TaskState",
        "_io.key_store": "MemoryKeyStore SQLiteKeyStore",
        "_io.given_transport": "Transport Verify",
        "_telemetry.settings": "Stats Telemetry",
        "_telemetry.observer": "TaskEntry",
        "_text.error_response": "ErrorResponse",
        "token_stores.file": "FileTokenStore",
        "token_stores.keyring": "KeyringTokenStore",
        "token_stores.memory": "MemoryTokenStore",
        "token_stores.postgres": "PostgresTokenStore",
        "token_stores.redis": "RedisTokenStore",
    }.items()
    for name in names.split()
}
"""The modules of `payman_sdk` that public names come from, where another module offers them; those of `errors` come from there."""


def _find_home(name: str) -> str:
    return f"payman_sdk.{_HOMES.get(name, 'errors')}"


def import_on_use(
    module: str, others: Iterable[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a module that offers its `__all__`, and others, and imports each on first use."""
    offered = sys.modules[module].__all__

    def find(name: str) -> object:
        if name not in offered and name not in others:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(import_module(_find_home(name)), name)
        setattr(sys.modules[module], name, value)
        return value

    return find, lambda: sorted(offered)


class Unlisted:
    """Marks a parameter that no schema lists.

    Args:
        is_closed: Whether pydantic refuses a value for it as well, as it must where values come from a request.
    """

    def __init__(self, *, is_closed: bool = False) -> None:
        self._is_closed = is_closed

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Have pydantic pass a value on as it is: the SDK checks it."""
        from pydantic_core import core_schema

        return core_schema.none_schema() if self._is_closed else core_schema.any_schema()

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        """Leave it out."""
        from pydantic_core import PydanticOmit

        raise PydanticOmit


Hidden: TypeAlias = Annotated[T, Unlisted()]
"""What only a program can give."""
Option: TypeAlias = Annotated[T | None, Unlisted()]
"""An option of a call; None means not given."""
Setting: TypeAlias = Annotated[T | None, Unlisted(is_closed=True)]
"""A setting of a client; None means not given. No web framework may fill it from a request: `base_url` decides who gets the secrets."""


class _Member:
    """Leaves a member of a TypedDict out of schemas if JSON has no form for it, such as a hook or a store."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        from pydantic import PydanticInvalidForJsonSchema
        from pydantic_core import PydanticOmit

        try:
            return handler(schema)
        except PydanticInvalidForJsonSchema:
            raise PydanticOmit from None


def support_pydantic(*kinds: Any) -> None:
    """Have pydantic read TypedDicts of `typing`, which it refuses before Python 3.12, and members of types it does not know."""
    for kind in kinds:
        kind.__get_pydantic_core_schema__ = classmethod(_build_schema)


def _build_schema(cls: Any, source: Any, handler: Any) -> Any:
    # A class whose annotations are texts does not know which of its keys are optional, until Python 3.14.
    members: dict[str, Any] = {
        name: Annotated[hint, _Member()]
        if get_origin(hint) in (Required, NotRequired)
        else (Required if name in cls.__required_keys__ else NotRequired)[Annotated[hint, _Member()]]
        for name, hint in get_type_hints(cls, include_extras=True).items()
    }
    twin = build_twin(cls, members)
    twin.__pydantic_config__ = {"arbitrary_types_allowed": True}
    return handler.generate_schema(twin)


def build_twin(cls: Any, members: Mapping[str, Any]) -> Any:
    """Return a TypedDict that pydantic reads on every Python, with the name and the text of a class."""
    from typing_extensions import TypedDict  # pydantic needs it itself

    make: Any = TypedDict
    twin = make(cls.__name__, members)
    twin.__doc__, twin.__module__ = cls.__doc__, cls.__module__
    return twin


def build_instance_schema(
    cls: Any, shape: Any, make: Callable[[Any], Any], write: Callable[[Any], Any]
) -> Any:
    """Return the schema of a class whose instances pydantic takes as they are, or makes of a dict of that shape."""
    from pydantic_core import core_schema

    made = core_schema.no_info_after_validator_function(make, shape)
    is_one = core_schema.is_instance_schema(cls)
    return core_schema.json_or_python_schema(
        json_schema=made,
        python_schema=core_schema.union_schema([is_one, made], mode="left_to_right"),
        serialization=core_schema.plain_serializer_function_ser_schema(write, return_schema=shape),
    )
