"""What is rendered works, what is not listed is refused, and a client that does not work is not put in place."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_python_client.strings import PythonIdentifier

from scripts.regeneration import RegenerationError, proof, sources, work
from scripts.regeneration.documents import Document, check, dump, parse
from scripts.regeneration.expressions import refer
from scripts.regeneration.generator import generate, prepare
from scripts.regeneration.operations import Operations
from scripts.regeneration.samples import class_trials, operation_trials
from scripts.regeneration.sources import Package, incoming
from tests.regenerate import documents
from tests.regenerate.conftest import ROOT, Changed, Regenerate, colour, edit, everything

SPEC = ROOT / "spec"
CONSTRUCTS = Path(__file__).parent / "constructs.openapi.yaml"
PACKAGE = Package("payman")


@pytest.fixture(scope="module")
def constructs() -> Document:
    """A document with every construct that can be rendered."""
    document: Document = parse(CONSTRUCTS.read_bytes(), CONSTRUCTS.name)
    check(document, CONSTRUCTS.name)
    return document


@pytest.fixture(scope="module")
def fresh(constructs: Document, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with its client."""
    folder = tmp_path_factory.mktemp("constructs")
    generate(constructs, SPEC, folder / "payman_api")
    return folder


@pytest.fixture(scope="module")
def api(fresh: Path) -> Iterator[Callable[[str], Any]]:
    """Gives a module of the client, under a name that is not that of ours."""
    (fresh / "of_constructs").symlink_to(fresh / "payman_api")
    sys.path.insert(0, str(fresh))
    yield lambda name: import_module(f"of_constructs.{name}" if name else "of_constructs")
    sys.path.remove(str(fresh))


def test_every_construct_is_proven(constructs: Document, fresh: Path, tmp_path: Path) -> None:
    """Types, imports, round trips of every class, and every operation; of two documents side by side."""
    second = Package("payman-wire")
    wire = incoming(SPEC, second, str(CONSTRUCTS.with_name("wire.openapi.yaml"))).document
    generate(wire, SPEC, fresh / second.folder, second.name)
    proof.prove(fresh, {PACKAGE: constructs, second: wire}, tmp_path)


def test_names_longer_than_those_of_files_are_cut(tmp_path: Path) -> None:
    """In the names of operations, tags, parameters, schemas and members; names that differ stay different, and are sent whole."""
    long, wide = "a" * 300, "日" * 150
    given = {"type": "object", "properties": {wide + "x": {"type": "object", "properties": {wide: {}}}}}
    parameters = [{"name": long + end, "in": "query", "schema": {"type": "string"}} for end in "xy"]
    about = {"tags": [long], "parameters": parameters, "responses": {"204": {"description": "Done."}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Long", "version": "1"},
        "paths": {f"/{end}": {"get": {"operationId": long + end, **about}} for end in "xy"},
        "components": {"schemas": {long + "x": given, long + "y": given}},
    }
    check(document, "long.yaml")
    generate(document, SPEC, tmp_path / "payman_api")
    (scratch := tmp_path / "scratch").mkdir()
    proof.prove(tmp_path, {PACKAGE: document}, scratch)


def test_unknown_variants_and_values_are_kept(api: Callable[[str], Any]) -> None:
    """A variant and a value of an enum that came later are read, kept and written; a broken variant is an error."""
    models, base = api("models"), api("_base")
    found = models.Everything.from_dict(
        {
            "pets": [{"kind": "bird", "wings": 2}, {"kind": "wolf"}],
            "d": "",
            "self": "",
            "to_dict": True,
            "colors": ["red", "mauve"],
        }
    )
    assert type(found.pets[0]) is base.Other
    assert type(found.pets[1]) is models.Dog
    assert found.pets[0].to_dict() == {"kind": "bird", "wings": 2}
    assert found.colors == [models.Color.RED, "mauve"]
    assert (found.self_, found.field_to_dict, found.d) == ("", True, "")
    for pet in ({"kind": "cat", "lives": "nine"}, {"wings": 2}, "cat", None):
        with pytest.raises(TypeError):
            models.Everything.from_dict({**found.to_dict(), "pets": [pet]})


def test_requests_are_what_the_document_says(api: Callable[[str], Any]) -> None:
    """Styles of parameters, kinds of bodies, servers and credentials."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200 if len(seen) == 1 else 599, content=b"%PDF")

    client = api("").AuthenticatedClient(
        "https://base.test", token="t", httpx_args={"transport": httpx.MockTransport(answer)}
    )

    def files(name: str) -> Any:
        return api(f"api.files.{name}")

    def default(name: str) -> Any:
        return api(f"api.default.{name}")

    models, types = api("models"), api("types")
    read = files("download").sync_parsed(
        "a/b",
        3,
        client=client,
        ids=["1", "2"],
        kinds=[models.Color.RED, models.Color.GREEN],
        filter_=models.DownloadFilter(a="x", b=1),
        where={"n": 1},
        client_2="c",
        body_2=True,
        id_query="q",
    )
    assert read == b"%PDF"
    assert seen[0].url.raw_path.startswith(b"/files/a%2Fb/3?")
    assert sorted(seen[0].url.params.multi_items()) == [
        ("client", "c"),
        ("filter[a]", "x"),
        ("filter[b]", "1"),
        ("id", "q"),
        ("ids", "1|2"),
        ("kinds", "green"),
        ("kinds", "red"),
        ("where", '{"n": 1}'),
    ]
    assert (seen[0].headers["x-key"], seen[0].headers["body"], "authorization" in seen[0].headers) == (
        "t",
        "true",
        False,
    )
    upload = models.PostFilesBody(
        file=types.File(io.BytesIO(b"1"), "a.txt"), tags=["x", "y"], about=models.Cat(lives=9)
    )
    files("post_files").sync_detailed(client=client, body=upload)
    sent = seen[1].read()
    assert sent.count(b'name="tags"') == 2
    assert b'name="file"; filename="a.txt"' in sent
    assert b'{"kind": "cat", "lives": 9}' in sent or b'{"lives": 9, "kind": "cat"}' in sent
    assert seen[1].headers["authorization"] == "Bearer t"
    default("text").sync_detailed(client=client)
    assert str(seen[2].url) == "https://other.example.com/text"
    assert b"t" not in seen[2].headers.get("authorization", "").encode()
    default("two").sync_detailed(client=client, body=models.Flat(a="1"))
    assert (seen[3].headers["content-type"], seen[3].headers["cookie"]) == ("application/json", "session=t")
    default("form").sync_detailed(client=client, body=models.Flat(a="1", c=True))
    assert seen[4].read() == b"a=1&c=true"
    event = default("watch").parse_event({"kind": "dog"})
    assert type(event) is models.Dog
    assert api("").SERVERS == {"LIVE": "https://eu.example.com/v1", "TEST_SYSTEM": "https://test.example.com"}


def test_pages_are_read_to_the_last(api: Callable[[str], Any]) -> None:
    """A token in the query, and a next one in the answer, make an iterator; it ends with a page that names no other one."""
    seen: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(dict(request.url.params))
        number = int(request.url.params.get("page-token", "0"))
        following = endings.pop() if number == 2 else {"nextPageToken": str(number + 1)}
        return httpx.Response(200, json={"items": [], **following})

    client = api("").AuthenticatedClient(
        "https://base.test",
        token="t",
        httpx_args={"transport": httpx.MockTransport(answer)},
    )
    pages = api("api.default.pages")

    async def read() -> list[Any]:
        return [page async for page in pages.aiter_pages(client=client, limit=5)]

    endings: list[dict[str, Any]] = [
        {},
        {"nextPageToken": None},
        {"nextPageToken": ""},
        {"nextPageToken": "2"},
    ]
    while endings:
        seen.clear()
        ending = endings[-1]
        found = asyncio.run(read()) if len(endings) % 2 else list(pages.iter_pages(client=client, limit=5))
        assert [page.items for page in found] == [[], [], []], ending
        assert seen == [
            {"limit": "5"},
            {"limit": "5", "page-token": "1"},
            {"limit": "5", "page-token": "2"},
        ], ending
    for name in ("watch", "get_items", "two"):
        assert not hasattr(api(f"api.default.{name}"), "iter_pages"), name


def test_deprecations_warn_and_webhooks_are_read(api: Callable[[str], Any]) -> None:
    """A deprecated operation and class warn who uses them, not who reads an answer; a webhook has a parser and a check of headers."""
    models, hooks = api("models"), api("webhooks")
    with pytest.warns(DeprecationWarning, match="put_file deprecated"):
        api("api.default.put_file").build_request()
    with pytest.warns(DeprecationWarning, match="Problem deprecated"):
        models.Problem(title="x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert models.Problem.from_dict({"title": "x"}).title == "x"
    assert hooks.parse_pet_born(b'{"kind": "cat"}') == models.Cat()
    assert hooks.has_headers({"X-Mine": "s"}, {"x-mine": "s"})
    for sent, expected in (
        ({"x-mine": "t"}, {"x-mine": "s"}),
        ({}, {"x-mine": "s"}),
        ({"x-mine": "s"}, {"x-mine": "s", "x-other": "o"}),
    ):
        assert not hooks.has_headers(sent, expected), (sent, expected)
    for expected in ({}, {"x-mine": ""}):
        with pytest.raises(ValueError, match="secret"):
            hooks.has_headers({"x-mine": ""}, expected)


def test_documents_give_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row of the table has the verdict that it has to have, and is refused in the words that it has to be; proofs have been recorded."""
    monkeypatch.setattr(sources, "dump", lambda *_: b"")  # nothing is written
    recorded = documents.recorded()
    assert [cells[0] for cells in recorded] == [row.name for row in documents.ROWS], (
        f"python -m {documents.__name__} --record"
    )
    for row, (name, verdict, _, said, lines) in zip(documents.ROWS, recorded, strict=True):
        if row.refusal:
            source = tmp_path / "new.yaml"
            source.write_text(json.dumps(documents.changed(row)), encoding="utf-8")
            with pytest.raises(RegenerationError) as caught:
                Operations(incoming(SPEC, PACKAGE, str(source)).document)
            assert row.refusal in str(caught.value), name
            assert (verdict, "\n" in str(caught.value), len(str(caught.value)) < 400) == (
                "refused",
                False,
                True,
            ), name
            assert said.split(" (at")[0] in str(caught.value), name
        else:
            assert (verdict, said, lines != "0") == (row.verdict, "passed", row.adapts), name
            if "1,500" not in name:
                assert documents.judge(documents.changed(row)) == row.verdict, name


SMALL: Document = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1"},
    "paths": {
        "/a": {
            "get": {
                "operationId": "a",
                "parameters": [],
                "responses": {"200": {"description": "x", "content": {}}},
            }
        }
    },
    "components": {"schemas": {"A": {"type": "object", "properties": {"b": {"type": "string"}}}}},
}
A, GET = "/components/schemas/A", "/paths/~1a/get"


def schema(**given: Any) -> Callable[[Any], None]:
    return lambda document: document["components"]["schemas"].update(A=given)


def parameter(**given: Any) -> Callable[[Any], None]:
    return lambda document: document["paths"]["/a"]["get"].update(
        parameters=[{"name": "p", "in": "query", **given}]
    )


def test_what_is_not_listed_is_refused() -> None:
    """Whatever it is: nobody has said what it would mean. The message names it and its place."""
    rows: list[tuple[Callable[[Any], None], str, str]] = [
        *((schema(**{key: {}}), f"The keyword {key} of schemas", A) for key in ("not", "if", "prefixItems", "patternProperties", "unevaluatedProperties", "dependentSchemas", "$dynamicRef", "discriminators", "colour")),
        (schema(type="tuple"), "The type 'tuple'", A),
        (schema(type="array", items={"$ref": "#" + A}), "A schema refers to itself other than", A),
        (schema(allOf=[{"$ref": "#" + A}]), "A schema is a part of itself", A),
        (schema(allOf=[{"type": "string"}, {"type": "integer"}]), "allOf asks for the types", A),
        (schema(oneOf=[{"type": "string"}], anyOf=[{"type": "integer"}]), "Two choices", A),
        (schema(type="object", properties={"b": False}), "A schema that nothing fits", A + "/properties/b"),
        (schema(enum=[{"a": 1}, {"a": 2}]), "An enum of objects", A),
        (schema(type="object", properties={"b": {"type": "integer", "default": "x"}}), "The default 'x' does not fit", A + "/properties/b"),
        (schema(oneOf=[{"$ref": "#" + GET}], discriminator={"propertyName": "b"}), "", GET),
        (parameter(schema={"type": "object", "properties": {"a": {}}}, style="spaceDelimited"), "The style spaceDelimited for an object", GET + "/parameters/0"),
        (parameter(**{"in": "path"}, required=True, schema={"type": "string"}, style="matrix"), "The style matrix", GET + "/parameters/0"),
        (parameter(schema={"type": "string"}, allowReserved=True), "allowReserved", GET + "/parameters/0"),
        (parameter(content={"application/xml": {}}), "A parameter as application/xml", GET + "/parameters/0"),
        (lambda document: document["paths"]["/a"]["get"].update(security=[{"who": []}]), "The security scheme who is not in", GET),
        (lambda document: document["paths"]["/a"]["get"]["responses"]["200"].update(content={"application/x-ndjson": {"schema": {"type": "object"}}}), "A body as application/x-ndjson", GET + "/responses/200/content/application~1x-ndjson"),
        (lambda document: document.update(webhooks={"w": {"post": {"responses": {}}}}), "The webhook w sends no JSON", "/webhooks/w/post"),
    ]  # fmt: skip
    for change, words, place in rows:
        document = parse(dump(SMALL), "small")
        change(document)
        with pytest.raises(RegenerationError) as caught:
            Operations(document)
        assert words in str(caught.value), words
        assert place in str(caught.value), (words, str(caught.value))


def test_a_client_that_does_not_work_is_not_put_in_place(
    small: Path, regenerate: Regenerate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit status is 2, everything is as it was, and the message names what fails and its place."""
    groups = [
        [
            ("_base.py.jinja", "return [item(each, name) for each in value]", "return []", "Token: AssertionError: ", "(at #/components/schemas/Token)"),
            ("_http.py.jinja", 'pairs = [*_flatten(query)]', 'pairs: list[tuple[str, Any]] = []', "api.oauth.create_token: AssertionError: the query is", "(at #/paths/~1token/post)"),
        ],
        [
            ("client.py.jinja", "        if scheme is None:\n            return prepared", "        scheme = scheme or self._scheme or ('', '', '')", "api.oauth.authorize: AssertionError: the access token is sent", "(at #/paths/~1authorize/get)"),
            ("model.py.jinja", "-> None:\n", "-> None:\n        nothing: int = str()\n", "Incompatible types in assignment", "(at #/components/schemas/"),
        ],
        [("errors.py.jinja", '"""The errors that', 'nothing_that_there_is()\n"""The errors that', "SyntaxError: from __future__", "")],
    ]  # fmt: skip
    monkeypatch.setattr(work, "prove", proof.prove)
    find = proof.find_type_problems
    for rows in groups:  # several faults are named at once
        templates = {name: (small / "spec/templates" / name).read_bytes() for name, *_ in rows}
        for name, old, new, *_ in rows:
            edit(small, f"templates/{name}", old, new)
        # The type checker is slow; one fault alone is for it to find.
        is_left_out = "model.py.jinja" not in templates
        monkeypatch.setattr(proof, "find_type_problems", (lambda *_: []) if is_left_out else find)
        before = everything(small)
        run = regenerate("--root", small, "--from", small.parent / "new.yaml")
        assert (run.status, run.out) == (2, ""), rows
        assert "The client that the document gives does not work:" in run.err, rows
        for name, _, _, words, place in rows:
            assert any(words in line and place in line for line in run.err.splitlines()), (name, run.err)
        assert everything(small) == before, rows
        for name, kept in templates.items():
            (small / "spec/templates" / name).write_bytes(kept)


def test_recordings_have_to_play_with_the_candidate(
    bare: Path, changed: Changed, regenerate: Regenerate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing breaks, a recording that does not play is the candidate's fault; where something does, it is to be adapted."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # loading them would take most of the time
    recording = bare / "tests" / "recorded" / "test_recording.py"
    recording.parent.mkdir(parents=True)
    recording.write_text(
        "from payman_api.models import TaskSendParams\n\n\ndef test_it():\n    assert 'colour' not in TaskSendParams.__match_args__\n"
    )
    before = everything(bare)
    run = regenerate("--from", changed(colour))
    assert (run.status, run.out) == (2, "")
    assert "does not play what was recorded: FAILED tests/recorded/test_recording.py::test_it" in run.err
    assert everything(bare) == before
    recording.write_text(recording.read_text().replace("not in", "in"))
    assert regenerate("--from", changed(colour)).status == 0
    recording.write_text("def test_it():\n    assert False\n")
    assert regenerate("--from", changed(documents.require_member)).status == 0


def test_a_document_in_several_files_becomes_one(tmp_path: Path) -> None:
    """Files below the document's folder are taken in; others are not read, and what leads nowhere is named."""
    folder = tmp_path / "api"
    (folder / "parts").mkdir(parents=True)
    root = parse(dump(SMALL), "small")
    root["components"]["schemas"] |= {"B": {"$ref": "parts/b.json"}}
    root["paths"]["/b"] = {"$ref": "parts/paths.yaml#/b"}
    (folder / "api.yaml").write_bytes(dump(root))
    (folder / "parts/b.json").write_text(
        '{"type": "object", "properties": {"a": {"$ref": "../api.yaml#/components/schemas/A"}, "c": {"$ref": "c.yaml#/C"}, "self": {"$ref": "b.json"}}}'
    )
    (folder / "parts/c.yaml").write_text(
        "C: {type: object, properties: {d: {$ref: '#/D'}}}\nD: {type: string, enum: [x, y]}\n"
    )
    (folder / "parts/paths.yaml").write_text(
        "b: {get: {operationId: b, responses: {'200': {description: x, content: {application/json: {schema: {$ref: c.yaml#/C}}}}}}}\n"
    )
    source = incoming(SPEC, PACKAGE, str(folder / "api.yaml"))
    operations = Operations(source.document)
    schemas = operations.schemas
    assert {*schemas.classes} == {"A", "B", "C", "D"}
    members = schemas.classes["B"].schema["properties"]
    assert {name: {"$ref": member["$ref"]} for name, member in members.items()} == {
        "a": refer("A"),
        "c": refer("C"),
        "self_": refer("B"),
    }
    answer = operations.found[1].answers["200"]
    assert answer is not None
    assert answer.expression == refer("C")
    written = source.files[PACKAGE.document]
    assert written is not None
    assert parse(written, "written") == source.document
    for reference, said in (
        ("../secret.yaml#/x", "only files below the document's own folder"),
        ("/etc/passwd", "only files below the document's own folder"),
        ("http://127.0.0.1:1/x", "only files below the document's own folder"),
        ("parts/c.yaml#/E", "$ref parts/c.yaml#/E leads nowhere"),
        ("parts/none.yaml", "none.yaml cannot be read"),
    ):
        root["components"]["schemas"]["B"] = {"type": "object", "properties": {"x": {"$ref": reference}}}
        (folder / "api.yaml").write_bytes(dump(root))
        with pytest.raises(RegenerationError) as caught:
            incoming(SPEC, PACKAGE, str(folder / "api.yaml"))
        assert said in str(caught.value), reference


def test_a_ring_of_schemas_is_not_a_recursion() -> None:
    """1,500 schemas that refer to each other in a circle are read and tried."""
    document = parse(dump(SMALL), "small")
    documents.add_ring(document)
    operations = Operations(document)
    assert len(operations.schemas.classes) == 1501
    assert len([*class_trials(operations)]) == 1501
    assert [*operation_trials(operations)]


def test_the_generator_reads_operations_with_rings_of_schemas(tmp_path: Path) -> None:
    """Whichever way the circle goes: the generator copies what an operation refers to, and that has no end."""
    document = parse(dump(SMALL), "small")
    schemas, content = document["components"]["schemas"], document["paths"]["/a"]["get"]["responses"]["200"]
    for number in range(600):
        both = {
            name: {"$ref": f"#/components/schemas/Ring{(number + step) % 600}"}
            for name, step in (("next", 1), ("last", 599))
        }
        schemas[f"Ring{number}"] = {"type": "object", "properties": both}
    content["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Ring599"}}}
    parsed = prepare(Operations(document), SPEC, tmp_path / "payman_api", "payman").openapi
    (endpoint,) = parsed.endpoint_collections_by_tag[PythonIdentifier("default", "")].endpoints
    assert [answer.prop.get_type_string().as_unembedded_code() for answer in endpoint.responses] == [
        "Ring599"
    ]
    assert len(parsed.models) == 601
    assert not parsed.errors
