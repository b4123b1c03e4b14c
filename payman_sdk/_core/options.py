"""The arguments of an ask: its text, its options and its task, all checked before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from payman_sdk._annotations import NamedTuple
from payman_sdk._config import READERS, Config, check_hook, read_headers, refuse_unknown
from payman_sdk._refusals import describe_type, describe_value, refuse
from payman_sdk._text.sanitizer import find_hidden
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._config import Resend
    from payman_sdk._core.key_store import KeyStore

_FORMATS = (None, "markdown", "json")
_LONGEST_KEY = 255


class CallOptions(NamedTuple):
    """The options of one call, resolved once: the call's, else its client's."""

    timeout: float
    read_timeout: float
    idle_timeout: float
    max_retries: int
    settle_time: float
    resend: Resend
    on_retry: Callable[[Any], Any] | None
    before_send: Callable[[Any], Any] | None
    on_task: Callable[[Any], Any] | None
    key_store: KeyStore | None
    headers: Mapping[str, str]
    metadata: Mapping[str, Any] | None = None
    message_metadata: Mapping[str, Any] | None = None
    part_metadata: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    new_session: bool = False
    raise_on_failure: bool = False
    on_message: Callable[[Any], Any] | None = None
    is_raw: bool = False


_OF_THE_CLIENT = tuple(name for name in CallOptions._fields if name in READERS)
KEYWORDS = frozenset({*CallOptions._fields, "output_format", "extra_headers", "raw"} - {"headers", "is_raw"})
"""The keywords of methods that are options; of each method, those that its signature has."""
NONE_IF_ABSENT = {"options", *KEYWORDS} - {"raw"}
"""Keywords of methods that may give an option. They are None in a call without options."""


def build_default_options(config: Config) -> CallOptions:
    of_client = {name: getattr(config, name) for name in _OF_THE_CLIENT}
    return CallOptions(**of_client, headers=config.default_headers)


def resolve_options(
    defaults: CallOptions,
    keywords: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    what: str = "ask",
) -> CallOptions:
    """Check the options of a call, and complete them with its client's; a keyword wins, and None means not given.

    Keywords of the method `what` that are not options are ignored. Raises ConfigurationError.
    """
    given = {key: value for key, value in keywords.items() if value is not None and key in KEYWORDS}
    if options is not None:
        if not isinstance(options, Mapping):
            refuse("options", f"is {describe_type(options)}", "Give a dict, or use keywords.")
        refuse_unknown(options, KEYWORDS & keywords.keys() - {"raw"}, f"an option of {what}")
        given = {key: value for key, value in options.items() if value is not None} | given
    is_raw, output_format = given.pop("raw", False), given.pop("output_format", None)
    extra = given.pop("extra_headers", None)
    if output_format not in _FORMATS:
        refuse("output_format", f"is {describe_value(output_format)}", "Use 'markdown' or 'json'.")
    for key, value in given.items():
        _CHECKS[key](value, key)
    headers = {**defaults.headers, **read_headers(extra, "extra_headers")} if extra else defaults.headers
    return defaults._replace(**given, headers=headers, is_raw=bool(is_raw) or output_format == "json")


def read_task_id(task: object) -> str:
    """Return the id of a task, given as such or by an answer, a payment or an error; raises ConfigurationError."""
    task_id = getattr(task, "task_id", task)
    if isinstance(task, Mapping) and task:
        answer = cast("Mapping[str, Any]", task)
        task_id = answer.get("task_id", answer.get("taskId"))
    if not isinstance(task_id, str) or not task_id.strip() or not task_id.isprintable():
        refuse(
            "task_id",
            f"is {describe_value(task_id)}",
            "Give response.task_id or error.task_id, such as 'tsk-…'.",
        )
    return task_id


def _check_switch(value: object, name: str) -> None:
    if not isinstance(value, bool):
        refuse(name, f"is {describe_value(value)}", "Use True or False.")


def _check_key(key: object, name: str) -> None:
    fix = f"Give a printable text of 1 to {_LONGEST_KEY} characters that names the operation, such as 'invoice-42'."
    if isinstance(key, str) and len(key) > _LONGEST_KEY:
        refuse(name, f"is {len(key):,} characters long", fix)
    if not isinstance(key, str) or not key.strip() or not key.isprintable() or find_hidden(key) is not None:
        refuse(name, f"is {describe_value(key)}", fix)


def _check_metadata(value: object, name: str) -> None:
    if not isinstance(value, Mapping):
        refuse(name, f"is {describe_type(value)}", "Give a dict.")
    try:
        json.dumps(dict(cast("Mapping[str, Any]", value)), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name} cannot be sent as JSON: {error}.") from None


_CHECKS: dict[str, Callable[[Any, str], object]] = {
    **{name: READERS[name] for name in _OF_THE_CLIENT},
    "on_message": check_hook,
    **dict.fromkeys(("new_session", "raise_on_failure"), _check_switch),
    **dict.fromkeys(("metadata", "message_metadata", "part_metadata"), _check_metadata),
    "idempotency_key": _check_key,
}
"""What each option has to pass; one without a check here cannot be given."""
