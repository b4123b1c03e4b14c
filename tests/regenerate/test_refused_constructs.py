"""What cannot be rendered, or would be rendered wrongly, is refused: one sentence, with the construct and its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.regeneration import RegenerationError
from scripts.regeneration.operations import Operations
from scripts.regeneration.samples import class_trials, operation_trials
from scripts.regeneration.sources import Package, incoming
from tests.regenerate.conftest import ROOT

HEAD = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"
OK = "responses: {'204': {description: x}}"
OPERATION = "/paths/~1a/post"
BODY, ANSWER = f"{OPERATION}/requestBody/content", f"{OPERATION}/responses/200/content"
PARAMETER, MEMBER = f"{OPERATION}/parameters/0", "/components/schemas/M/properties/a"
OBJECT = "{type: object, properties: {x: {type: string}}}"


def operation(about: str, path: str = "/a") -> str:
    return f"paths: {{'{path}': {{post: {{operationId: a, {about}}}}}}}\n"


def parameter(schema: str, about: str = "in: query") -> str:
    return operation(f"parameters: [{{name: p, {about}, schema: {schema}}}], {OK}")


def body(media: str, schema: str, encoding: str = "{}") -> str:
    given = f"{{schema: {schema}, encoding: {encoding}}}"
    return operation(f"requestBody: {{content: {{'{media}': {given}}}}}, {OK}")


def replies(media: str, schema: str, status: str = "200") -> str:
    return operation(
        f"responses: {{'{status}': {{description: x, content: {{'{media}': {{schema: {schema}}}}}}}}}"
    )


def schema(given: str) -> str:
    return f"paths: {{}}\ncomponents: {{schemas: {{M: {given}}}}}\n"


def member(given: str) -> str:
    return schema(f"{{type: object, properties: {{a: {given}}}}}")


PETS = "paths: {}\ncomponents: {schemas: {P: {oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}], discriminator: {propertyName: t, mapping: {a: '#/components/schemas/A', z: '#/components/schemas/Z'}}}, A: {type: object, properties: {t: {type: string}}}, B: {type: object, properties: {t: {type: string}}}}}\n"
CONSTRUCTS = [
    ("a query with a list of objects", parameter(f"{{type: array, items: {OBJECT}}}"), "The parameter p, with objects or lists among others", PARAMETER),
    ("a query with a list of lists", parameter("{type: array, items: {type: array, items: {type: string}}}"), "The parameter p, with objects or lists among others", PARAMETER),
    ("a deep object with objects", parameter(f"{{type: object, properties: {{y: {OBJECT}}}}}", "in: query, style: deepObject"), "The parameter p, with objects or lists among others", PARAMETER),
    ("a deep object with lists", parameter("{type: object, properties: {y: {type: array, items: {type: string}}}}", "in: query, style: deepObject"), "The parameter p, with objects or lists among others", PARAMETER),
    ("a query with an object or a text", parameter(f"{{oneOf: [{OBJECT}, {{type: string}}]}}"), "The parameter p, with objects or lists among others", PARAMETER),
    ("an object in a header", parameter(OBJECT, "in: header"), "The style simple for an object in the header", PARAMETER),
    ("an exploded list in a cookie", parameter("{type: array, items: {type: string}}", "in: cookie"), "The style form for a list in the cookie", PARAMETER),
    ("a header in two spellings", operation(f"parameters: [{{name: X, in: header, schema: {{}}}}, {{name: x, in: header, schema: {{}}}}], {OK}"), "The header X comes twice", PARAMETER),
    ("a header with two lines for a name", parameter("{type: string}", 'in: header').replace("name: p", 'name: "X\\r\\nY"'), r"A header called 'X\r\nY', which no header can be", PARAMETER),
    ("a cookie with a name that would end it", parameter("{type: string}", "in: cookie").replace("name: p", "name: 'a=b'"), "A cookie called 'a=b', which no cookie can be", PARAMETER),
    ("a credential in a header that cannot be sent", operation(f"security: [{{k: []}}], {OK}") + "components: {securitySchemes: {k: {type: apiKey, in: header, name: Schlüssel}}}\n", "The security scheme k cannot be rendered", OPERATION),
    ("a parameter that refers to a schema", operation(f"parameters: [{{$ref: '#/components/schemas/M'}}], {OK}") + "components: {schemas: {M: {type: string}}}\n", "Something with `in` has to be here", PARAMETER),
    ("a path with a query", operation(OK, "/a?x=1"), "The path /a?x=1 has a query", "/paths/~1a?x=1"),
    ("an operationId twice", f"paths: {{/a: {{post: {{operationId: a, {OK}}}, get: {{operationId: a, {OK}}}}}}}\n", "The operationId a comes twice", "/paths/~1a/"),
    ("a relative server of an operation", operation(f"servers: [{{url: /v2}}], {OK}"), "The server /v2 of an operation has no host", OPERATION),
    ("a variable that nothing defines", operation(f"servers: [{{url: 'https://{{host}}/v2'}}], {OK}"), "has a variable that is not defined", OPERATION),
    ("a server with a query", "servers: [{url: 'https://x.test/v2?key=hunted'}]\npaths: {}\n", "The server has a variable that is not defined, a user, a query", "/servers/0"),
    ("a server with a user", "servers: [{url: 'https://me:hunted@x.test/v2'}]\npaths: {}\n", "The server has a variable that is not defined, a user", "/servers/0"),
    ("a server of another protocol", "servers: [{url: 'wss://x.test/v2'}]\npaths: {}\n", "The server wss://x.test/v2 is reached by another protocol than http", "/servers/0"),
    ("a protocol that is a variable", "servers: [{url: '{p}://x.test', variables: {p: {default: ftp}}}]\npaths: {}\n", "The server ftp://x.test is reached by another", "/servers/0"),
    ("a form with objects", body("application/x-www-form-urlencoded", f"{{type: object, properties: {{y: {OBJECT}}}}}"), "y in a body as application/x-www-form-urlencoded", BODY),
    ("a form with lists of objects", body("application/x-www-form-urlencoded", f"{{type: object, properties: {{y: {{type: array, items: {OBJECT}}}}}}}"), "y in a body", BODY),
    ("a form of a list", body("application/x-www-form-urlencoded", "{type: array, items: {type: string}}"), "that is not an object", BODY),
    ("parts of lists of lists", body("multipart/form-data", "{type: object, properties: {y: {type: array, items: {type: array, items: {}}}}}"), "y in a body", BODY),
    ("a text as parts", body("multipart/form-data", "{type: string}"), "that is not an object", BODY),
    ("a part of XML", body("multipart/form-data", f"{{type: object, properties: {{y: {OBJECT}}}}}", "{y: {contentType: application/xml}}"), "The encoding of y", f"{BODY}/multipart~1form-data/encoding/y"),
    ("a text as a part of JSON", body("multipart/form-data", "{type: object, properties: {y: {type: string}}}", "{y: {contentType: application/json}}"), "The encoding of y", BODY),
    ("headers of a part", body("multipart/form-data", "{type: object, properties: {y: {type: string}}}", "{y: {headers: {A: {schema: {}}}}}"), "The encoding of y", BODY),
    ("a part that there is not", body("multipart/form-data", "{type: object, properties: {y: {type: string}}, additionalProperties: false}", "{z: {contentType: text/csv}}"), "The encoding of z", BODY),
    ("a request as a range of media types", body("image/*", "{type: string, format: binary}"), "A request as image/*", BODY),
    ("a body without a media type", operation(f"requestBody: {{content: {{}}}}, {OK}"), "A request body without a media type", f"{OPERATION}/requestBody"),
    ("an answer as a form", replies("application/x-www-form-urlencoded", OBJECT), "An answer as application/x-www-form-urlencoded", ANSWER),
    ("an answer in parts", replies("multipart/form-data", OBJECT), "An answer as multipart/form-data", ANSWER),
    ("an answer that may be JSON or not", replies("*/*", "{type: string}"), "A text as */*, which may be JSON or not", ANSWER),
    ("an answer of lines", replies("application/x-ndjson", OBJECT), "A body as application/x-ndjson", ANSWER),
    ("an answer of a kind that looks like an extension", replies("x-own/lines", OBJECT), "A body as x-own/lines", ANSWER),
    ("an event stream of texts", replies("text/event-stream", "{type: string}"), "An event stream of anything but objects", ANSWER),
    ("an event stream of anything", replies("text/event-stream", "{}"), "An event stream of anything but objects", ANSWER),
    ("an event stream of lists", replies("text/event-stream", f"{{type: array, items: {OBJECT}}}"), "An event stream of anything but objects", ANSWER),
    ("an event stream of whole events", replies("text/event-stream", "{type: object, properties: {event: {type: string}, data: {}}}"), "An event stream of anything but objects", ANSWER),
    ("an event stream that fails", replies("text/event-stream", OBJECT, "400"), "An event stream with a status of failure", f"{OPERATION}/responses/400"),
    ("a response that refers to a schema", operation("responses: {'200': {$ref: '#/components/schemas/M'}}") + "components: {schemas: {M: {type: string}}}\n", "Something with `description` has to be here", f"{OPERATION}/responses/200"),
    ("a discriminator that leads elsewhere", PETS, "The discriminator maps 'z' to", "/components/schemas/P/discriminator"),
    ("an enum of another type", member("{type: string, enum: [a, 1]}"), "The value 1 of an enum is not of the type string", MEMBER),
    ("an enum of nothing", member("{enum: []}"), "enum is []", MEMBER),
    ("enums without a common value", member("{allOf: [{enum: [a, b]}, {enum: [c]}]}"), "allOf gives enum twice", MEMBER),
    ("a default of another type", member("{type: boolean, default: 'yes'}"), "The default 'yes' does not fit", MEMBER),
    ("required that is not names", schema("{type: object, required: [1]}"), "required is [1]", "/components/schemas/M"),
    ("additionalProperties that is a text", schema("{type: object, additionalProperties: 'no'}"), "additionalProperties is 'no'", "/components/schemas/M"),
    ("items that is a list", schema("{type: array, items: [{}]}"), "This is not a schema", "/components/schemas/M/items"),
    ("a type that is a number", schema("{type: 5}"), "type is 5", "/components/schemas/M"),
    ("a format that is a list", member("{format: []}"), "format is []", MEMBER),
    ("a schema that needs itself", schema("{type: object, required: [m], properties: {m: {$ref: '#/components/schemas/M'}}}"), "A schema needs itself", "/components/schemas/M"),
    ("a list of itself", schema("{type: array, items: {$ref: '#/components/schemas/M'}}"), "A schema refers to itself", "/components/schemas/M"),
    ("a schema that refers to the document", schema("{$ref: '#'}"), "The keyword openapi of schemas", "#"),
    ("an anchor", schema("{type: object, $anchor: here}"), "The keyword $anchor", "/components/schemas/M"),
    ("a reference to an anchor", schema("{$ref: '#here'}"), "$ref #here leads nowhere", "/components/schemas/M"),
    ("an id", schema("{$id: 'https://example.com/m'}"), "The keyword $id", "/components/schemas/M"),
    ("another dialect", "jsonSchemaDialect: 'http://json-schema.org/draft-04/schema#'\npaths: {}\n", "the dialect http://json-schema.org/draft-04/schema# cannot be read", "/jsonSchemaDialect"),
    ("a schema of another dialect", schema("{$schema: 'http://json-schema.org/draft-04/schema#'}"), "$schema is", "/components/schemas/M"),
]  # fmt: skip


def refusal(content: bytes | str, folder: Path) -> str:
    """Give what is said of a document; nothing if it is taken."""
    source = folder / "new.yaml"
    source.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        operations = Operations(incoming(ROOT / "spec", Package("payman"), str(source)).document)
        list(class_trials(operations))
        list(operation_trials(operations))
    except RegenerationError as error:
        return str(error).replace(str(source), "new.yaml")
    return ""


def test_constructs_that_are_refused(tmp_path: Path) -> None:
    """Each by its name and its place, in one sentence."""
    for name, text, words, place in CONSTRUCTS:
        said = refusal(HEAD + text, tmp_path)
        assert words in said, (name, said)
        assert place in said.partition("(at #")[2] or place == "#", (name, said)
        assert "\n" not in said, name
        assert len(said) < 400, name


HALF = b'{"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}, "x-a": "\\ud800"}'
FILES: list[tuple[str, bytes | str, str]] = [
    ("nothing", "", "new.yaml is not an OpenAPI document: a mapping is expected."),
    ("blanks", " \n", "new.yaml is not an OpenAPI document: a mapping is expected."),
    ("a word", "hello", "new.yaml is not an OpenAPI document: a mapping is expected."),
    ("no version", "paths: {}", "it has no `openapi` with the version"),
    ("no info", "openapi: 3.1.0\npaths: {}\n", 'new.yaml is not valid OpenAPI: "info" is a required property (at #).'),
    ("a page", "<!doctype html><title>x</title>", "it is a web page, not an API document"),
    ("Latin-1", HEAD.encode() + "x-a: größe".encode("latin-1"), "new.yaml cannot be read: it is not UTF-8 (byte"),
    ("UTF-16", HEAD.encode("utf-16"), "new.yaml cannot be read: it is not UTF-8 (byte 0)."),
    ("JSON that is cut off", '{"openapi": "3.1.0", "info": {', "new.yaml cannot be read: "),
    ("a tab", HEAD + "paths:\n\t/a: {}\n", "new.yaml cannot be read: "),
    ("a key twice in YAML", HEAD + "paths: {}\npaths: {}\n", "the key 'paths' comes twice"),
    ("a status twice, in two spellings", HEAD + "paths: {/a: {get: {responses: {200: {description: x}, '200': {description: y}}}}}\n", "the key '200' comes twice"),
    ("a key twice in JSON", '{"openapi": "3.1.0", "openapi": "3.0.0"}', "the key 'openapi' comes twice"),
    ("a key that is a list", HEAD + "? [a]\n: b\n", "a key is not a text"),
    ("two documents", HEAD + "---\n" + HEAD, "new.yaml cannot be read: "),
    ("a tag", HEAD + "x-a: !foo b\n", "could not determine a constructor for the tag '!foo'"),
    ("bytes", HEAD + "x-a: !!binary aGk=\n", "b'hi' is not a value that JSON has"),
    ("a set", HEAD + "x-a: !!set {a}\n", "is not a value that JSON has"),
    ("NaN", '{"openapi": "3.1.0", "x-a": NaN}', "nan is not a value that JSON has"),
    ("infinity", HEAD + "x-a: .inf\n", "inf is not a value that JSON has"),
    ("half a character", HALF, "is not a value that JSON has"),
    ("an alias of itself", HEAD + "x-a: &a {b: *a}\n", "it holds more than 500,000 values"),
    ("too much", b"#" * 10_000_001, "it has more than 10,000,000 bytes"),
]  # fmt: skip


def test_files_that_hold_something_else(tmp_path: Path) -> None:
    """Each is said to be what it is, in one sentence."""
    for name, content, words in FILES:
        said = refusal(content, tmp_path)
        assert words in said, (name, said)
        assert "\n" not in said, name
        assert len(said) < 300, name


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_and_ends_of_lines_do_not_matter(tmp_path: Path, end: str) -> None:
    """Nor do the words that an older YAML takes for something else."""
    text = HEAD + member("{type: string, enum: [NO, on, 12:30, 010, 2025-01-01, <<]}")
    assert refusal(b"\xef\xbb\xbf" + text.replace("\n", end).encode(), tmp_path) == ""
