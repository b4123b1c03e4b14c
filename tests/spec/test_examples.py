from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import payman_api.models
from payman_api.api.oauth import create_token
from payman_api.models import LegacyTokenResponse, TokenResponse

Json = dict[str, Any]


def resolve(document: Json, value: Json) -> Json:
    while "$ref" in value:
        found: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def bodies(document: Json) -> Iterator[tuple[str, Json, Any]]:
    """Give the schema and the value of every example of a request or an answer."""
    for path, item in document["paths"].items():
        for operation in (item[method] for method in ("get", "post", "delete") if method in item):
            holders = [operation.get("requestBody", {}), *operation["responses"].values()]
            for holder in holders:
                for kind, media in resolve(document, holder).get("content", {}).items():
                    for name, example in media.get("examples", {}).items():
                        place = f"{path} {kind} {name}"
                        yield place, media["schema"], resolve(document, example)["value"]


def parameters(document: Json) -> Iterator[tuple[str, Json, Any]]:
    """Give the schema and the value of every example of a parameter or a header."""
    for path, item in document["paths"].items():
        for operation in (item[method] for method in ("get", "post", "delete") if method in item):
            for parameter in operation.get("parameters", []):
                if "example" in parameter:
                    yield f"{path} {parameter['name']}", parameter["schema"], parameter["example"]
                for name, example in parameter.get("examples", {}).items():
                    yield f"{path} {parameter['name']} {name}", parameter["schema"], example["value"]


def pieces(document: Json) -> Iterator[tuple[str, Json, Any]]:
    """Give the reference to a schema, and the value, of every example inside a schema."""
    for name, schema in document["components"]["schemas"].items():
        for number, example in enumerate(schema.get("examples", [])):
            yield f"{name} {number}", {"$ref": f"#/components/schemas/{name}"}, example


def complaints(document: Json, schema: Json, value: Any) -> list[str]:
    from openapi_schema_validator import OAS31Validator

    validator = OAS31Validator({**schema, "components": document["components"]})
    return [error.message for error in validator.iter_errors(value)]


def test_examples_are_as_their_schemas_say(document: Json) -> None:
    """Every example in the document is valid under the schema it is an example of."""
    found = [*bodies(document), *parameters(document), *pieces(document)]
    assert len(found) > 50
    wrong = {place: said for place, schema, value in found if (said := complaints(document, schema, value))}
    assert wrong == {}


@pytest.mark.parametrize("result", [{"id": "tsk-1"}, "done", {"id": "tsk-1", "status": {"state": None}}])
def test_schemas_refuse_what_is_wrong(document: Json, result: Any) -> None:
    """The schemas do tell a task from something else."""
    assert complaints(document, {"$ref": "#/components/schemas/TaskResponse"}, {"result": result})


def test_examples_survive_the_generated_models(document: Json) -> None:
    """Every example is read by its model and written again without loss."""
    read = 0
    for place, schema, value in [*bodies(document), *pieces(document)]:
        model = getattr(payman_api.models, schema.get("$ref", "").rpartition("/")[2], None)
        if model is not None and hasattr(model, "from_dict"):
            assert model.from_dict(value).to_dict() == value, place
            read += 1
    assert read > 35


def test_token_examples_are_read_in_either_spelling(document: Json) -> None:
    """A token in camelCase and one in snake_case are each read as what they are."""
    answer = document["paths"]["/api/oauth2/token"]["post"]["responses"]["200"]
    examples = answer["content"]["application/json"]["examples"]
    kinds = {
        name: type(create_token.parse_answer(httpx.Response(200, json=example["value"])))
        for name, example in examples.items()
    }
    assert kinds == {
        "client_credentials": TokenResponse,
        "authorization_code": TokenResponse,
        "snake_case": LegacyTokenResponse,
    }
