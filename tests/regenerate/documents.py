"""Changed API documents, what each is held to give, and what it gave: the table in docs/regenerating.md.

python -m tests.regenerate.documents --record     write the table anew
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scripts.comparison.comparing import compare
from scripts.regeneration import RegenerationError
from scripts.regeneration.adaptation import missing_keys
from scripts.regeneration.documents import dump, parse
from scripts.regeneration.folders import files
from scripts.regeneration.generator import generate
from scripts.regeneration.names import names
from scripts.regeneration.proof import prove
from scripts.regeneration.quotes import out_of_date
from scripts.regeneration.sources import Package, incoming
from scripts.regeneration.type_check import new_type_faults

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "regenerating.md"
BEGIN, END = "<!-- documents: begin -->", "<!-- documents: end -->"
GET, SEND = "/api/a2a/tasks/get", "/api/a2a/tasks/send"
Change = Callable[[Any], None]


@dataclass(frozen=True)
class Row:
    """A change and what it has to give: breaking, additive, cosmetic or none; or the words of a refusal; and whether lines are named."""

    name: str
    change: Change
    verdict: str = "additive"
    refusal: str = ""
    adapts: bool = False


def schema(name: str, **members: Any) -> Change:
    """Add members to a schema."""
    return lambda document: document["components"]["schemas"][name]["properties"].update(members)


def operation(path: str, method: str, **given: Any) -> Change:
    """Add an operation."""
    about = {
        "x-payman-evidence": "documented",
        "tags": ["new"],
        "responses": {"204": {"description": "Done."}},
    }
    return lambda document: document["paths"].setdefault(path, {}).update({method: {**about, **given}})


def answers(media: str, **given: Any) -> dict[str, Any]:
    """Give the responses of an operation that answers in one way."""
    return {"200": {"description": "It.", "content": {media: {"schema": given}}}}


def at(*steps: str, **members: Any) -> Change:
    """Change members of what is at a place; None takes one away."""

    def change(document: Any) -> None:
        for step in steps:
            document = document[step]
        for name, value in members.items():
            if value is None:
                del document[name]
            else:
                document[name] = value

    return change


def rename_member(document: Any) -> None:
    for name in ("Task", "TaskSendParams"):
        members = document["components"]["schemas"][name]["properties"]
        members["contextId"] = members.pop("sessionId")


def add_enum_value(document: Any) -> None:
    document["components"]["schemas"]["TaskState"]["enum"].append("paused")


def require_member(document: Any) -> None:
    params = document["components"]["schemas"]["TaskSendParams"]
    params["properties"]["walletId"] = {"type": "string"}
    params["required"].append("walletId")


def remove_ids(document: Any) -> None:
    for item in document["paths"].values():
        for method in item.values():
            if isinstance(method, dict):
                method.pop("operationId", None)


def remove_marks(document: Any) -> None:
    for item in document["paths"].values():
        for method in item.values():
            if isinstance(method, dict):
                method.pop("x-payman-evidence", None)
    for server in document["servers"]:
        server.pop("x-payman-environment")


def become_openapi_30(document: Any) -> None:
    document["openapi"] = "3.0.3"
    document["info"].pop("summary")
    document["info"]["license"].pop("identifier")

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(each) for each in value]
        if not isinstance(value, dict):
            return value
        found = {key: walk(inner) for key, inner in value.items()}
        kinds = found.get("type")
        if isinstance(kinds, list):
            rest = [kind for kind in kinds if kind != "null"]
            found |= {"nullable": "null" in kinds} | (
                {"type": rest[0]} if len(rest) == 1 else {"anyOf": [{"type": kind} for kind in rest]}
            )
            if len(rest) > 1:
                del found["type"]
        for keyword in ("anyOf", "oneOf"):
            several = found.get(keyword)
            if isinstance(several, list) and {"type": "null"} in several:
                found |= {keyword: [each for each in several if each != {"type": "null"}], "nullable": True}
        if "const" in found:
            found["enum"] = [found.pop("const")]
        if isinstance(found.get("examples"), list):
            found["example"] = found.pop("examples")[0]
        return found

    for part in ("components", "paths"):
        document[part] = walk(document[part])


def add_ring(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for number in range(1500):
        following = {"$ref": f"#/components/schemas/Ring{(number + 1) % 1500}"}
        schemas[f"Ring{number}"] = {
            "type": "object",
            "properties": {"next": following, "name": {"type": "string"}},
        }


def add_pets(document: Any) -> None:
    kind = {"type": "object", "required": ["kind"]}
    schemas = document["components"]["schemas"]
    for name in ("Cat", "Dog"):
        schemas[name] = {**kind, "properties": {"kind": {"const": name.lower()}, "name": {"type": "string"}}}
    choice = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]
    schemas["Task"]["properties"]["pet"] = {"oneOf": choice, "discriminator": {"propertyName": "kind"}}


REF = {"$ref": "#/components/schemas/Artifact"}
BEARER = {"type": "http", "scheme": "bearer"}
FILE = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}
HOOK = {
    "post": {
        "requestBody": {"content": {"application/json": {"schema": REF}}},
        "responses": {"200": {"description": "Taken."}},
    }
}
ODD = {
    name: {"type": "string"}
    for name in (
        "from",
        "class",
        "self",
        "d",
        "2fa",
        "to_dict",
        "größe",
        "$ref_id",
        "_wire",
        "TaskId",
        "task_id",
        "list",
        "datetime",
    )
}
SCHEMAS = ("components", "schemas")
SCHEMES = ("components", "securitySchemes")
SEND_BODY = ("paths", SEND, "post", "requestBody", "content")
READ = ("paths", GET, "post")
NOWHERE = {"application/json": {"schema": {"$ref": "#/components/schemas/Nowhere"}}}

ROWS = [
    Row("a renamed member", rename_member, "breaking", adapts=True),
    Row("a new enum value", add_enum_value, adapts=True),
    Row("a new required member of a request", require_member, "breaking", adapts=True),
    Row("a bearer token in place of the header", at(*SCHEMES, accessToken=BEARER), "breaking", adapts=True),
    Row("a header scheme that nothing uses", at(*SCHEMES, webhookKey={"type": "apiKey", "in": "header", "name": "x-hook"}), "additive"),
    Row("an optional list of models", schema("Task", related={"type": "array", "items": REF})),
    Row("an optional list of times", schema("Task", seenAt={"type": "array", "items": {"type": "string", "format": "date-time"}})),
    Row("an optional list of enums", schema("Task", scopes={"type": "array", "items": {"$ref": "#/components/schemas/Scope"}})),
    Row("a text that becomes a time", schema("TaskStatus", timestamp={"type": ["string", "null"], "format": "date-time"}), "breaking", adapts=True),
    Row("members with names of Python's and the generator's", schema("Task", **ODD)),
    Row("a union with a discriminator", add_pets),
    Row("models that hold themselves", schema("Task", children={"type": "array", "items": {"$ref": "#/components/schemas/Task"}})),
    Row("a ring of 1,500 schemas", add_ring, "additive"),
    Row("a multipart upload", operation("/api/files", "post", operationId="upload", requestBody={"required": True, "content": {"multipart/form-data": {"schema": FILE}}})),
    Row("a binary answer", operation("/api/statement", "get", operationId="download", responses=answers("application/pdf", type="string", format="binary"))),
    Row("an event stream by GET", operation("/api/events", "get", operationId="watch", responses=answers("text/event-stream", **REF))),
    Row("a second media type of a request", at(*SEND_BODY, **{"application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/SendTaskRequest"}}})),
    Row("an optional body", at("paths", GET, "post", "requestBody", required=False)),
    Row("a webhook", at(webhooks={"artifactMade": HOOK}), "additive"),
    Row("a deprecated operation", at(*READ, deprecated=True)),
    Row("an operation with a server", operation("/api/other", "get", operationId="other", servers=[{"url": "https://other.example"}], security=[])),
    Row("another server", lambda document: document["servers"][0].update(url="https://api.payman.ai"), "breaking"),
    Row("a removed operation", at("paths", **{GET: None}), "breaking", adapts=True),
    Row("no operationIds", remove_ids, "breaking", adapts=True),
    Row("none of our marks", remove_marks, "breaking", adapts=True),
    Row("OpenAPI 3.0", become_openapi_30, "breaking", adapts=True),
    Row("other words", at(*SCHEMAS, "Task", description="Something else."), "cosmetic"),
    Row("extensions", at(*SCHEMAS, "Task", **{"x-internal": True}), "cosmetic"),
    Row("members that only one side gives", lambda document: document["components"]["schemas"]["Task"]["properties"]["id"].update(readOnly=True), adapts=True),
    Row("a query with styles", operation("/api/search", "get", operationId="search", parameters=[{"name": "where", "in": "query", "style": "deepObject", "schema": {"type": "object", "additionalProperties": {"type": "string"}}}, {"name": "ids", "in": "query", "explode": False, "schema": {"type": "array", "items": {"type": "string"}}}])),
    Row("only a default answer", operation("/api/any", "get", operationId="any_answer", responses={"default": answers("application/json", **REF)["200"]})),
    Row("objects inside a form", operation("/api/form", "post", requestBody={"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {"about": REF}}}}}), refusal="about in a body as application/x-www-form-urlencoded, an object or list, cannot be rendered (at #/paths/~1api~1form/post"),
    Row("objects in a query list", operation("/api/list", "get", parameters=[{"name": "of", "in": "query", "schema": {"type": "array", "items": REF}}]), refusal="The parameter of, with objects or lists among others, cannot be rendered (at #/paths/~1api~1list/get/parameters/0"),
    Row("an event stream of texts", operation("/api/texts", "get", responses=answers("text/event-stream", type="string")), refusal="An event stream of anything but objects, the data of events, cannot be rendered (at #/paths/~1api~1texts/get"),
    Row("a reference that leads nowhere", at(*READ, "responses", "200", content=NOWHERE), refusal="#/components/schemas/Nowhere leads nowhere (at #/paths/~1api~1a2a~1tasks~1get/post/responses/200"),
    Row("a schema that is only itself", at(*SCHEMAS, Me={"$ref": "#/components/schemas/Me"}), refusal="leads back to itself (at #/components/schemas/Me)"),
    Row("a value that a keyword does not take", at(*SCHEMAS, "Task", required="id"), refusal="required is 'id', which is not what the keyword takes (at #/components/schemas/Task)"),
    Row("OpenAPI 3.2", at(openapi="3.2.0"), refusal="is OpenAPI 3.2.0; 3.0 and 3.1 can be read"),
    Row("Swagger 2.0", at(swagger="2.0", openapi=None), refusal="is Swagger 2.0; convert it to OpenAPI 3 first"),
    Row("a keyword that nobody listed", at(*SCHEMAS, "Task", frobnicate=1), refusal="The keyword frobnicate of schemas cannot be rendered (at #/components/schemas/Task)"),
    Row("a condition (if, then)", at(*SCHEMAS, "Task", **{"if": {}}), refusal="The keyword if of schemas cannot be rendered (at #/components/schemas/Task)"),
    Row("a body in XML", at(*READ, "requestBody", content={"application/xml": {"schema": REF}}), refusal="A body as application/xml cannot be rendered (at #/paths/~1api~1a2a~1tasks~1get/post/requestBody/content/application~1xml)"),
    Row("callbacks", at(*READ, callbacks={"done": {}}), refusal="Callbacks cannot be rendered (at #/paths/~1api~1a2a~1tasks~1get/post/callbacks)"),
    Row("two credentials at once", at(*READ, security=[{"accessToken": [], "clientCredentials": []}]), refusal="Several credentials at once (accessToken, clientCredentials) cannot be rendered"),
    Row("client certificates", lambda document: (at(*SCHEMES, tls={"type": "mutualTLS"})(document), at(*READ, security=[{"tls": []}])(document))[0], refusal="The security scheme tls cannot be rendered"),
    Row("a path without its parameter", operation("/api/{what}", "get"), refusal="The path /api/{what} and its parameters differ in what"),
]  # fmt: skip


def changed(row: Row) -> Any:
    """Give our document with the change of a row."""
    document = json.loads(_read_ours())  # a copy, ten times as fast as one of copy.deepcopy
    row.change(document)
    return document


def run(row: Row, scratch: Path) -> tuple[str, str, str]:
    """Make a client of a row's document; give the verdict, what became of the proof, and how many lines are named."""
    source, package = scratch / "new.yaml", Package("payman")
    source.write_bytes(dump(changed(row)))
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            document = incoming(ROOT / "spec", package, str(source)).document
            generate(document, ROOT / "spec", Path(folder) / "fresh" / package.folder)
            prove(Path(folder) / "fresh", {package: document}, Path(folder))
            return judge(document), "passed", str(count_lines(document, Path(folder)))
        except RegenerationError as error:
            said = str(error).partition("\n")[0].removeprefix(f"{source}: ").removeprefix(f"{source} ")
            return "refused", said.partition(" An overlay")[0], ""


@cache
def ours() -> Any:
    return json.loads(_read_ours())


@cache
def _read_ours() -> str:
    return json.dumps(parse((ROOT / "spec" / "payman.openapi.yaml").read_bytes(), "payman.openapi.yaml"))


def count_lines(document: Any, scratch: Path) -> int:
    """Say how many lines of payman_sdk would have to be adapted."""
    fresh = scratch / "fresh"
    shutil.copytree(ROOT / "generated" / "payman_api" / "rest", fresh / "payman_api" / "rest")
    found = [
        *new_type_faults(ROOT, ROOT / "generated", fresh, scratch),
        *missing_keys(ROOT, names(files(fresh))),
        *(fault for fault, _ in out_of_date(ROOT, compare(ours(), document), {"payman": ours()})),
    ]
    assert all(fault.line for fault in found), found
    return len({(fault.file, fault.line) for fault in found})


def judge(document: Any) -> str:
    """Give the worst that a document does to programs made for ours."""
    found = {change.level.name.lower() for change in compare(ours(), document)}
    return next((level for level in ("breaking", "additive", "cosmetic") if level in found), "none")


def table() -> Iterator[str]:
    """Try every row; give the lines of the table."""
    yield "| document with | verdict | seconds | proof, or why it is refused | lines named |"
    yield "|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.setdefault("MYPY_CACHE_DIR", f"{scratch}/mypy")
        for row in ROWS:
            begin = time.perf_counter()
            verdict, said, lines = run(row, Path(scratch))
            yield f"| {row.name} | {verdict} | {time.perf_counter() - begin:.1f} | {said} | {lines} |"


def recorded() -> list[list[str]]:
    """Give the cells of the table in the page."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.strip().splitlines()[2:]]


def main() -> int:
    """Try every document, and write the table if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.regenerate.documents", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the table into docs/regenerating.md")
    options = parser.parse_args()
    lines = []
    for line in table():
        print(line, flush=True)
        lines.append(line)
    if options.record:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        text = f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{rest.partition(END)[2]}"
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
