"""spec/payman-rest.openapi.yaml says what is known of the REST API, how it is known, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import payman_api.rest
from payman_api.rest import models
from tests.spec.test_examples import Json, bodies, complaints, parameters, pieces
from tests.yaml_text import load_yaml

OPERATIONS = {
    ("post", "/payments/send-payment"): "send_direct_payment",
    ("post", "/payments/payees"): "create_payee",
    ("delete", "/payments/payees/{id}"): "delete_payee",
    ("get", "/payments/search-payees"): "search_payees",
    ("get", "/balances/currencies/{currency}"): "get_spendable_balance",
}
PROTOCOL = {
    "ContactDetails.phoneNumber", "ContactDetails.taxId", "PayeeUsAch.accountHolderName", "PayeeUsAch.accountHolderType",
    "PayeeUsAch.accountType", "Payee.status",
}  # fmt: skip
"""Members whose spelling nobody has documented."""


@pytest.fixture(scope="module")
def document() -> Json:
    path = Path(__file__).parents[2] / "spec" / "payman-rest.openapi.yaml"
    loaded: Json = load_yaml(path.read_text(encoding="utf-8"))
    return loaded


def test_it_is_marked_as_documented_and_not_advertised(document: Json) -> None:
    assert (document["info"]["x-payman-evidence"], document["info"]["x-payman-advertised"]) == (
        "documented",
        False,
    )
    assert "no longer advertised" in str(payman_api.rest.__doc__)
    assert dict(payman_api.rest.SERVERS) == {"LIVE": "https://agent.payman.ai/api"}
    assert payman_api.rest.ACCESS_TOKEN_HEADER == "x-payman-api-secret"
    found = {
        (method, path): (operation["operationId"], operation["x-payman-evidence"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert found == {place: (name, "documented") for place, name in OPERATIONS.items()}
    assert dict(payman_api.rest.PATHS) == {name: path for (_, path), name in OPERATIONS.items()}
    marked: dict[str, Any] = {
        f"{name}.{member}": schema["properties"][member]["x-payman-evidence"]
        for name, schema in document["components"]["schemas"].items()
        for member in schema.get("properties", {})
        if "x-payman-evidence" in schema["properties"][member]
    }
    assert marked == dict.fromkeys(PROTOCOL, "protocol")


def test_its_examples_are_valid_and_survive_the_models(document: Json) -> None:
    found = [*bodies(document), *parameters(document), *pieces(document)]
    assert len(found) > 15
    assert {
        place: said for place, schema, value in found if (said := complaints(document, schema, value))
    } == {}
    read = 0
    for place, schema, value in bodies(document):
        model: Any = getattr(models, schema.get("$ref", "").rpartition("/")[2], None)
        if hasattr(model, "from_dict"):
            assert model.from_dict(value).to_dict() == value, place
            read += 1
    assert read > 4
