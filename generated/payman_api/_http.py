"""How requests are put together and answers are read, for all operations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from ._base import MISFITS, Model, encode, reader
from .types import UNSET, File, Response, Unset, encode_basic

if TYPE_CHECKING:
    import httpx

    from .client import Client, Scheme

Given = Mapping[str, Any]
Request = dict[str, Any]
"""Keywords for `httpx.Client.build_request`."""
Answers = Mapping[str, tuple[str, str] | None]
"""For each status, such as 200, 5XX or default: the kind of body, and its type."""


_IN_COOKIES = {*map(chr, range(33, 127))} - {*'";\\'}


Answer = TypeVar("Answer")
Success = TypeVar("Success")


class HttpOperation(Generic[Answer, Success]):
    """An operation, without its arguments: what its functions have in common.

    Args:
        module: Its module.
        answers: What the spec has.
        successes: The statuses that are a success.
        scheme: Where it wants the access token; None where it wants none.
        server: The address that the spec names for this operation alone, if any.
    """

    def __init__(
        self,
        module: str,
        answers: Answers,
        successes: tuple[range, ...],
        scheme: Scheme | None = None,
        server: str | None = None,
    ) -> None:
        self.successes = successes
        self._module, self._answers, self._scheme, self._server = module, answers, scheme, server

    def prepare(self, client: Client, request: Request) -> Request:
        """Return the keywords for `httpx.Client.request`."""
        return client.prepare(request, self._scheme, self._server)

    def parse(self, response: httpx.Response, is_strict: bool = False) -> Answer | None:
        """Return what the spec has for an answer: see `parse_answer` of the operation."""
        answer: Answer | None = read_answer(response, self._answers, self._module, is_strict)
        return answer

    def send(self, client: Client, request: Request) -> Response[Answer]:
        """Send a request, and return the answer whatever its status."""
        return self._detail(client, client.get_httpx_client().request(**self.prepare(client, request)))

    async def asend(self, client: Client, request: Request) -> Response[Answer]:
        """Do as `send`, asynchronously."""
        return self._detail(
            client, await client.get_async_httpx_client().request(**self.prepare(client, request))
        )

    def _detail(self, client: Client, response: httpx.Response) -> Response[Answer]:
        parsed = self.parse(response, client.raise_on_unexpected_status)
        return Response(response.status_code, response.content, response.headers, parsed)

    def fetch(self, client: Client, request: Request) -> Success:
        """Send a request, and return the body of a success; raise for anything else."""
        from .errors import read

        response = client.get_httpx_client().request(**self.prepare(client, request))
        success: Success = read(self.parse, response, self.successes)
        return success

    async def afetch(self, client: Client, request: Request) -> Success:
        """Do as `fetch`, asynchronously."""
        from .errors import read

        response = await client.get_async_httpx_client().request(**self.prepare(client, request))
        success: Success = read(self.parse, response, self.successes)
        return success


class Styled:
    """A parameter that is not written in the usual way: `json`, `deepObject`, `explode`, or what is put between the values of a list."""

    def __init__(self, value: Any, style: str) -> None:
        self.value, self.style = value, style


def build(
    method: str,
    url: str,
    *,
    path: Given | None = None,
    query: Given | None = None,
    headers: Given | None = None,
    cookies: Given | None = None,
    body: Any = UNSET,
    media: tuple[str, str] = ("application/json", "json"),
    accept: str = "",
    auth: tuple[str, str] | Unset = UNSET,
    encoding: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; `media` has the media type of the body and its kind, `encoding` those of its parts."""
    for name, value in (path or {}).items():
        value, style = _unstyle(value)
        several = [json.dumps(value)] if style == "json" else value if isinstance(value, list) else [value]
        segment = ",".join(quote(_text(each), safe="") for each in several)
        if segment in ("", ".", ".."):  # it would lead to another operation
            raise ValueError(f"{name} cannot be {segment!r}: it is a part of the path")
        url = url.replace(f"{{{name}}}", segment)
    built: dict[str, Any] = {"method": method, "url": url}
    if query is not None:
        pairs = [*_flatten(query)]
        built["params"] = dict(pairs)
        if len(built["params"]) < len(pairs):
            raise ValueError("two parameters have one name in the query")
    sent = dict(_flatten(headers or {}))
    if kept := dict(_flatten(cookies or {})):
        if any({*text} - _IN_COOKIES for text in kept.values()):
            raise ValueError("a parameter has a character that a cookie cannot hold")
        sent["Cookie"] = "; ".join(map("=".join, kept.items()))
    if not isinstance(body, Unset):
        kind, value = media[1], encode(body)
        if kind == "multipart":
            built["files"] = [*_parts(body, encoding or {})]
        else:
            sent["Content-Type"] = media[0]
            if kind == "form":
                built["data"] = dict(_flatten(value))
            else:
                is_json = kind == "json" and value is not None  # which httpx takes for no body
                built["json" if is_json else "content"] = "null" if value is None else value
    if accept:
        sent["Accept"] = accept
    if not isinstance(auth, Unset):
        sent["Authorization"] = encode_basic(auth)
    if sent:
        built["headers"] = sent
    return built


def read_answer(response: httpx.Response, answers: Answers, module: str, is_strict: bool) -> Any:
    """Return what the spec has for an answer; None where it has nothing, or the body of an error is not as it has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `is_strict`.
    """
    status = response.status_code
    known = [name for name in (str(status), f"{status // 100}XX", "default") if name in answers]
    if not known:
        if is_strict:
            from .errors import UnexpectedStatus

            raise UnexpectedStatus(status, response.content)
        return None
    answer = answers[known[0]]
    if answer is None:
        return None
    kind, annotation = answer
    try:
        if kind in ("text", "bytes"):
            return response.text if kind == "text" else response.content
        return read_value(response.json(), annotation, module)
    except MISFITS:
        if status < 400:
            raise
        return None


def read_value(value: Any, annotation: str, module: str) -> Any:
    """Return a value of JSON as its type, which names models of the module's package."""
    return reader(annotation, module.partition(".api.")[0].removesuffix(".webhooks") + ".models")(
        value, "body"
    )


def _unstyle(value: Any) -> tuple[Any, str]:
    return (encode(value.value), value.style) if isinstance(value, Styled) else (encode(value), "")


def _flatten(given: Given) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        value, style = _unstyle(value)
        if value is None or isinstance(value, Unset):
            continue
        if style == "json":
            yield name, json.dumps(value)
        elif style in ("deepObject", "explode"):
            for key, inner in value.items():
                if inner is not None:
                    yield (f"{name}[{key}]" if style == "deepObject" else key), _text(inner)
        elif not isinstance(value, list):
            yield name, _text(value)
        elif value:
            texts = [*map(_text, value)]
            if style and any(style in text for text in texts):
                raise ValueError(f"{name} has {style!r} in a value, which separates values")
            yield name, style.join(texts) if style else texts


def _text(value: Any) -> str:
    if value is None or isinstance(value, list | dict):
        raise TypeError(f"{type(value).__name__} cannot be written as a text")
    if isinstance(value, str):
        return value  # also one that hides itself from `str`
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parts(body: Any, encoding: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Give the parts of a multipart body: a list is several of one name, an object is JSON."""
    given = body.to_dict() if isinstance(body, Model) else body
    for name, several in given.items():
        for value in several if isinstance(several, list) else [several]:
            if isinstance(value, File):
                yield name, value._replace(mime_type=value.mime_type or encoding.get(name)).to_tuple()
            elif isinstance(value, dict):
                yield name, (None, json.dumps(encode(value)).encode(), encoding.get(name, "application/json"))
            elif value is not None:
                yield name, (None, _text(value).encode(), encoding.get(name, "text/plain"))
