"""Structured answers: the format that a caller wants, the request for it, and the answer read as it."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, cast

from payman_sdk._core.effects import Flow, T
from payman_sdk._core.json_answer import FoundObject, NoObjectError, find_object
from payman_sdk._core.json_schema import SchemaError, check_schema, validate
from payman_sdk._core.listings import sanitize_line
from payman_sdk._core.orders import request_object
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk.errors import ConfigurationError

_MOST = 1000
"""Characters of what a validator says."""


class ResponseFormat(Generic[T]):
    """What an answer is to be read as.

    What `read` raises is why the object in an answer does not fit.
    """

    def __init__(self, schema: Mapping[str, Any], read: Callable[[FoundObject], T]) -> None:
        self._schema = schema
        self._read = read

    def request(self, text: str) -> str:
        return f"{text}\n\n{request_object(self._schema)}"

    def read_answer(self, flow: Flow[Any]) -> Flow[FormattedTaskResponse[T]]:
        return self.read((yield from flow))

    def read(self, response: FormattedTaskResponse[T]) -> FormattedTaskResponse[T]:
        """Return the answer with the result; a failure only fills `parse_error`, because the ask was carried out."""
        parsed: T | None = None
        error: str | None = None
        artifacts = response.artifacts if response.new_artifacts is None else response.new_artifacts
        try:
            parsed = self._read(find_object(response, artifacts, skips_unknown=True))
        except NoObjectError as problem:
            error = f"The task is {response['state']}, and {problem}."
        except Exception as problem:  # of the user's validators, too
            error = f"The answer does not fit the format: {problem}"[:_MOST]
        response.parsed, response.parse_error = parsed, sanitize_line(error)
        return response


def read_response_format(given: Any) -> ResponseFormat[Any]:
    """Return the caller's format: a JSON Schema, or a class with fields, as of pydantic. Raises ConfigurationError."""
    try:
        return _format_of(given)
    except SchemaError as problem:
        raise ConfigurationError(
            f"response_format {problem}."[:500],
            next_step="Give a JSON Schema of an object, a TypedDict, a dataclass, an attrs class or a pydantic model.",
            sent=False,
        ) from None


def _format_of(given: Any) -> ResponseFormat[Any]:
    if isinstance(given, Mapping):
        schema = check_schema(cast("object", given))

        def read(found: FoundObject) -> Any:
            validate(found.value, schema)
            return found.value

        return ResponseFormat(schema, read)
    # Pydantic is not imported: whoever gives a model, or a TypeAdapter, has it.
    for prefix in ("model_", ""):
        make_schema = getattr(given, f"{prefix}json_schema", None)
        validate_json = getattr(given, f"{prefix}validate_json", None)
        if callable(make_schema) and callable(validate_json):
            return _of_pydantic(make_schema, validate_json)
    if not isinstance(given, type):
        raise SchemaError(f"is {given!r}"[:200])
    from payman_sdk._core.type_schema import find_fields, read_type

    if find_fields(given) is None:
        raise SchemaError(f"is {given.__name__}, which is not a class with fields")
    form = read_type(given)
    return ResponseFormat(check_schema(form.schema), lambda found: form.read(found.value, ""))


def _of_pydantic(make_schema: Callable[[], Any], validate_json: Callable[[str], Any]) -> ResponseFormat[Any]:
    try:
        schema: object = make_schema()
    except Exception as error:
        raise SchemaError(f"has no JSON Schema: {type(error).__name__}: {error}") from error
    if not isinstance(schema, Mapping):
        raise SchemaError("has no JSON Schema")
    members = cast("Mapping[str, Any]", schema)
    if members.get("type") not in ("object", None) or not (members.get("type") or "$ref" in members):
        raise SchemaError("is not of an object")
    return ResponseFormat(members, lambda found: validate_json(found.text))
