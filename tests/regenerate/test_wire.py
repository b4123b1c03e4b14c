"""What a generated client sends and reads, over real HTTP, for constructs of every kind: the bytes are those that the document asks for."""

from __future__ import annotations

import datetime
import email
import io
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from scripts.regeneration.documents import Document
from scripts.regeneration.generator import generate
from scripts.regeneration.sources import Package, incoming
from tests.peer import Answer, Peer, Request, answer, json_answer
from tests.regenerate.conftest import ROOT

PACKAGE = Package("payman")
DAY, TIME = datetime.date(2025, 1, 2), datetime.datetime(2025, 1, 2, tzinfo=datetime.UTC)
ID = uuid.UUID(int=5)
NOTHING = answer(204)
Api = Callable[[str], Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return incoming(ROOT / "spec", PACKAGE, str(Path(__file__).parent / "wire.openapi.yaml")).document


@pytest.fixture(scope="module")
def fresh(document: Document, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the client."""
    folder = tmp_path_factory.mktemp("wire")
    generate(document, ROOT / "spec", folder / "payman_api")
    return folder


@pytest.fixture(scope="module")
def api(fresh: Path) -> Iterator[Api]:
    """Gives a module of the client, under a name that is not that of ours."""
    (fresh / "of_wire").symlink_to(fresh / "payman_api")
    sys.path.insert(0, str(fresh))
    yield lambda name: import_module(f"of_wire.{name}" if name else "of_wire")
    sys.path.remove(str(fresh))


@pytest.fixture
def call(api: Api, peer: Peer) -> Callable[..., Any]:
    """Calls an operation of which the server gives a certain answer; gives what is returned, and the request."""

    def run(
        operation: str, *values: Any, way: str = "sync_parsed", reply: Answer = NOTHING, **named: Any
    ) -> Any:
        servers = {
            f"https://{name}": peer.base_url + f"/{name[0]}"
            for name in ("path.example.com/p", "operation.example.com/o/")
        }
        client = api("").AuthenticatedClient(peer.base_url, token="tok", servers=servers)
        module = api(f"api.default.{operation}")
        path = module.build_request(*values, **named)["url"]
        for prefix in ("", "/p", "/o"):
            peer.always(prefix + path, reply)
        with client:
            found = getattr(module, way)(*values, client=client, **named)
            read = list(found) if way == "iter_events" else found
        return read, peer.requests[-1]

    return run


def query_of(request: Request) -> list[tuple[str, str]]:
    return sorted(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))


def test_requests_are_what_the_document_says(api: Api, call: Callable[..., Any]) -> None:
    """Every style of parameters in every place, and every kind of body."""
    models, file = api("models"), api("types").File
    rows: list[tuple[str, str, tuple[Any, ...], dict[str, Any], Callable[[Request], Any], Any]] = [
        ("styles of queries", "query", (), {"comma": [1, 2], "space": ["x", "y"], "pipe": ["1", "2"], "each": [True, False], "deep": models.QueryDeep(x="é&", y=True), "exploded": {"k": "v"}, "json": ["é"], "time": TIME, "number": 1.5, "id": ID, "any_": 0}, query_of, sorted([("comma", "1,2"), ("space", "x y"), ("pipe", "1|2"), ("each[]", "true"), ("each[]", "false"), ("deep[x]", "é&"), ("deep[y]", "true"), ("k", "v"), ("json", '["\\u00e9"]'), ("time", "2025-01-02T00:00:00Z"), ("number", "1.5"), ("id", str(ID)), ("any", "0")])),
        ("empty and absent", "query", (), {"comma": [], "each": [], "maybe": None, "json": []}, query_of, [("json", "[]")]),
        ("defaults", "defaults", (), {"word": "w", "enum": "x"}, lambda it: dict(query_of(it)), {"count": "5", "fixed": "fixed", "word": "w", "enum": "x"}),
        ("paths", "path", (["a b", "c/d"], 7, "p?f", DAY, True, "m"), {}, lambda it: it.target, "/path/a%20b,c%2Fd/x7.p%3Ff:go/2025-01-02/true/m"),
        ("headers and cookies", "headers", (), {"x_list": [1, 2], "x_json": {"é": 1}, "sid": "abc==", "list_": ["a", "b"]}, lambda it: (it.headers["x-list"], it.headers["x-json"], it.headers["cookie"]), ("1,2", '{"\\u00e9": 1}', "sid=abc==; list=a,b")),
        ("names", "get_user", (), {"user_id": 1, "user_id_2": "a", "user_id_3": "b", "user_id_4": "c", "field_1st": "d", "field_init": "e", "filter_": "f"}, query_of, sorted([("user_id", "1"), ("userId", "a"), ("1st", "d"), ("__init__", "e"), ("$filter", "f")])),
        ("a form", "form", (), {"body": models.FormBody(s="a&b=é", l=[1, 2], b=True, d=DAY, n=None)}, lambda it: parse_qsl(it.body.decode()), [("s", "a&b=é"), ("l", "1"), ("l", "2"), ("b", "true"), ("d", "2025-01-02")]),
        ("parts", "multipart", (), {"body": models.MultipartBody(one=file(io.BytesIO(b"\xff"), "o.bin"), many=[file(b"2", "m.gif"), file(b"3", "m", "image/webp")], image=file(b"4", "i"), about=models.MultipartBodyAbout(x="é"), several=[models.MultipartBodySeveralItem(y=1), models.MultipartBodySeveralItem(y=2)], csv="a,b", day=DAY, text64="aGk=")}, parts_of, sorted([("one", "o.bin", "application/octet-stream", b"\xff"), ("many", "m.gif", "image/gif", b"2"), ("many", "m", "image/webp", b"3"), ("image", "i", "image/png", b"4"), ("about", None, "application/json", b'{"x": "\\u00e9"}'), ("several", None, "application/json", b'{"y": 1}'), ("several", None, "application/json", b'{"y": 2}'), ("csv", None, "text/csv", b"a,b"), ("day", None, "text/plain", b"2025-01-02"), ("text64", None, "text/plain", b"aGk=")], key=repr)),
        ("server of a path, token in the query", "server_of_path", (), {"x": "1"}, lambda it: it.target, "/p/servers?x=1&key=tok"),
        ("server of an operation, token in a cookie", "server_of_operation", (), {}, lambda it: (it.target, it.headers["cookie"]), ("/o/servers", "sid=tok")),
        ("the token of the root", "form", (), {"body": models.FormBody()}, lambda it: it.headers["authorization"], "Bearer tok"),
        ("no token", "query", (), {}, lambda it: "authorization" in it.headers, False),
    ]  # fmt: skip
    for name, operation, values, named, look, expected in rows:
        _, request = call(operation, *values, **named)
        assert look(request) == expected, name
    assert api("").SERVERS == {"LIVE": "https://api.example.com/v1"}


def parts_of(request: Request) -> list[Any]:
    message: Any = email.message_from_bytes(
        b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n" + request.body
    )
    return sorted(
        (
            (
                part.get_param("name", header="content-disposition"),
                part.get_filename(),
                part.get_content_type(),
                part.get_payload(decode=True),
            )
            for part in message.get_payload()
        ),
        key=repr,
    )


def test_what_cannot_be_written_is_not_sent(api: Api) -> None:
    """A separator inside a value, an object where a text goes, a name twice, a character that a cookie has no place for."""
    rows: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("query", (), {"pipe": ["1|2"]}),
        ("query", (), {"comma": ["1,2"]}),
        ("query", (), {"any_": {"a": 1}}),
        ("query", (), {"any_": [[1]]}),
        ("query", (), {"any_": [None]}),
        ("query", (), {"exploded": {"number": "1"}, "number": 2}),
        ("path", (["a"], 1, "", DAY, True, "m"), {}),
        ("path", (["a"], 1, "x", DAY, True, None), {}),
        *(("headers", (), {"sid": text}) for text in ("a; b=1", "a b", 'a"', "é", "a\r\nb")),
        ("headers", (), {"list_": ["a,b"]}),
    ]
    for operation, values, named in rows:
        with pytest.raises((TypeError, ValueError)):
            pytest.fail(
                f"{named or values}: {api(f'api.default.{operation}').build_request(*values, **named)}"
            )


def test_answers_are_read_as_the_document_says(api: Api, call: Callable[..., Any]) -> None:
    """By their status; what has no body in HTTP is not read, whatever the document says."""
    models, errors = api("models"), api("errors")
    png = answer(body=b"\x89PNG", media_type="image/png")
    rows: list[tuple[str, dict[str, Any], Answer, Any, str | None]] = [
        ("only_default", {}, json_answer({"a": 1}), models.OnlyDefaultResponseDefault(a=1), None),
        ("statuses", {}, json_answer(5, 202), 5, None),
        ("statuses", {}, NOTHING, None, None),
        ("head", {}, answer(body=b""), None, None),
        ("any_bytes", {}, png, b"\x89PNG", None),
        ("xml_too", {}, json_answer(3), 3, "application/json"),
        ("any_media", {"body": models.AnyMediaBody(a="1")}, json_answer({"b": "2"}), models.AnyMediaResponse200(b="2"), None),
        ("one_way", {"body": models.OneWay(name="n", pin="p")}, json_answer({"id": 1, "name": "n"}), models.OneWay(id=1, name="n"), None),
    ]  # fmt: skip
    for operation, named, reply, expected, accept in rows:
        found, request = call(operation, reply=reply, **named)
        assert found == expected, operation
        assert accept in (None, request.headers["accept"]), operation
        if named:
            assert request.headers["content-type"] == "application/json", operation
            assert request.json == named["body"].to_dict(), operation
    for operation, reply, name in (
        ("only_default", json_answer({"a": 2}, 500), "a"),
        ("statuses", json_answer({"e": "x"}, 404), "e"),
        ("statuses", json_answer({"g": "x"}, 503), "g"),
    ):
        with pytest.raises(errors.ErrorStatus) as caught:
            call(operation, reply=reply)
        assert hasattr(caught.value.parsed, name), operation


def test_events_are_read_by_get_and_post(api: Api, call: Callable[..., Any]) -> None:
    """Each as the model that its constant names, whichever way the lines end; webhooks too."""
    models, errors = api("models"), api("errors")
    lines = b': hi\n\nevent: q\ndata: {"t":"started",\ndata: "x":1}\n\ndata: {"t":"ended"}\r\n\r\ndata: {"t":"new"}\n\n'
    stream = answer(body=lines, media_type="text/event-stream; charset=utf-8")
    for operation, named in (("watch", {"since": 3}), ("run", {"body": models.Started()})):
        found, request = call(operation, way="iter_events", reply=stream, **named)
        assert [type(each).__name__ for each in found] == ["Started", "Ended", "Other"], operation
        assert (found[0].x, request.headers["accept"][:17]) == (1, "text/event-stream"), operation
    with pytest.raises(errors.ErrorStatus) as caught:
        call("run", way="iter_events", reply=json_answer({"t": "started"}, 400), body=models.Started())
    assert caught.value.parsed == models.Started()
    assert api("webhooks").parse_made(b'{"t": "ended", "y": "z"}') == models.Ended(y="z")


def test_values_are_read_and_written_unchanged(api: Api) -> None:
    """Each row has a class, a value, and the class of what its only member is read as; None for a value that does not fit."""
    names = ("userId", "user-id", "1st", "__class__", "httpx", "Any", "日本", "😀", '{{x}}"\\\n')
    rows: list[tuple[str, Any, str | None]] = [
        ("Words", {"c": "NO", "on": "x"}, ""),
        ("Words", {"c": "yes"}, "WordsC"),
        ("Choice", {"v": {"a": "1"}}, "ClosedA"),
        ("Choice", {"v": {"b": "1"}}, "ClosedB"),
        ("Choice", {"v": {"a": "1", "c": "2"}}, "OpenC"),
        ("Choice", {"m": {"a": "1"}}, "ClosedA"),
        ("Choice", {"m": {"x": 1}}, "dict"),
        ("Texts", {"a": "2025-01-31"}, "date"),
        ("Texts", {"a": "2025-01-31T10:00:00Z"}, "datetime"),
        ("Texts", {"b": "20250131"}, "str"),
        ("Texts", {"c": "0B7C6A1E53A44D0C9A3D2F1F4F1F7F10"}, "str"),  # pragma: allowlist secret
        ("Texts", {"d": "1"}, "str"),
        ("Texts", {"d": 1}, "int"),
        ("Required", {"a": "1", "z": [1]}, ""),
        ("Required", {"a": "1"}, None),
        ("Narrow", {"n": 1}, "int"),
        ("Narrow", {"n": 1, "k": "b"}, ""),
        ("Narrow", {"n": 1.5}, None),
        ("HasBased", {"m": {"id": "1", "a": 1}}, "BasedType0"),
        ("HasBased", {"m": {"id": "1", "b": 1}}, "BasedType1"),
        ("HasBased", {"m": {"id": "1"}}, None),
        ("HasMapped", {"p": {"kind": "hound", "lives": "x"}}, "Dog"),
        ("HasMapped", {"p": {"kind": "kitty"}}, "Cat"),
        ("HasMapped", {"p": {"kind": "cat"}}, "Cat"),
        ("HasMapped", {"p": {"kind": "bird"}}, "Other"),
        ("Names", {**dict.fromkeys(names, "x"), "user_id": 4}, ""),
        ("Tree", {"kids": [{"by": {"x": {}}}], "either": {"either": "q"}}, ""),
        ("Merged", {"q": 1, "a": "1"}, ""),
        ("Merged", {"a": "1"}, None),
        ("Nested", {"deep": {"a": "1"}}, "NestedDeep"),
        ("Datetime", {"datetime": "2025-01-31T10:00:00Z"}, "datetime"),
        ("Models", {"a": {"a": "1"}}, "Types"),
        ("Response", {"a": {"a": "1"}}, "AnswerError"),
    ]  # fmt: skip
    models = api("models")
    for name, value, kind in rows:
        cls = next(getattr(models, it) for it in models.__all__ if it in (name, f"{name}Model"))
        if kind is None:
            with pytest.raises((TypeError, ValueError, KeyError)):
                pytest.fail(f"{value} is read as {cls.from_dict(value)}")
            continue
        read = cls.from_dict(value)
        assert read.to_dict() == value, (name, value)
        assert json.loads(json.dumps(read.to_dict())) == value, (name, value)
        (first, *others) = [
            getattr(read, it) for it in cls.__match_args__ if getattr(read, it) is not api("types").UNSET
        ]
        assert kind == "" or (type(first).__name__, others) == (kind, []), (name, value, first)
    assert models.Words().t == "12:30"
