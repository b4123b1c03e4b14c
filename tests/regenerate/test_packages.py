"""Several documents side by side, each a package."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from scripts.regeneration import RegenerationError
from scripts.regeneration.sources import Package, packages
from tests.regenerate.conftest import ROOT, Regenerate, everything
from tests.yaml_text import load_yaml

REST = "spec/payman-rest.openapi.yaml"


def test_a_package_for_each_document() -> None:
    """The primary one comes first, and what came from outside is not a document beside it."""
    names = {it.name: (it.document, it.folder) for it in packages(ROOT / "spec")}
    assert list(names.items()) == [
        ("payman", ("payman.openapi.yaml", "payman_api")),
        ("payman-rest", ("payman-rest.openapi.yaml", "payman_api/rest")),
    ]


@pytest.mark.parametrize(
    "name", ["payman-models", "types", "payman-class", "payman-2", "payman-", "../x", "a b"]
)
def test_a_name_that_no_package_can_have_is_refused(name: str) -> None:
    with pytest.raises(RegenerationError, match="not a free name"):
        Package(name)


def test_a_document_that_nothing_replaces_is_not_named(bare: Path, regenerate: Regenerate) -> None:
    run = regenerate("--document", "payman-rest")
    assert run.status == 2
    assert "give --from, too" in run.err


def test_a_second_document_is_taken_checked_and_removed(
    bare: Path, tmp_path: Path, regenerate: Regenerate
) -> None:
    """A new one becomes a package, a changed one is compared with itself, and one that is gone takes its package along."""
    document = load_yaml((ROOT / REST).read_text(encoding="utf-8"))
    schema = document["components"]["schemas"]["SendPaymentRequest"]
    schema["properties"]["urgency"] = {"type": "string"}
    new = tmp_path / "new.yaml"
    new.write_text(yaml.safe_dump(document), encoding="utf-8")
    primary = (bare / "spec/payman.openapi.yaml").read_bytes()

    run = regenerate("--from", new, "--document", "payman-rest")
    assert (run.status, run.err) == (0, "")
    assert run.section("The API of payman-rest:") == [
        "additive  schema SendPaymentRequest, property urgency: `SendPaymentRequest.urgency` was added and is optional "
        "(in requests). Reaches send_direct_payment."
    ]
    assert "added     payman_api.rest.models.SendPaymentRequest.urgency" in run.section(
        "Names of payman_api:"
    )
    assert run.section("The API:") == []
    assert "Version: a minor step." in run.out
    assert (bare / REST).read_bytes() == new.read_bytes()
    assert (bare / "spec/payman.openapi.yaml").read_bytes() == primary

    (bare / "generated/payman_api/rest/client.py").write_text("")
    check = regenerate("--check")
    assert (check.status, check.err.splitlines()[0]) == (
        1,
        "generated/payman_api/rest/client.py is not what the spec gives",
    )

    (bare / REST).write_text("openapi: 3.1.0")
    before = everything(bare)
    broken = regenerate()
    assert broken.status == 2
    assert "payman-rest.openapi.yaml is not valid OpenAPI" in broken.err
    assert everything(bare) == before

    (bare / REST).unlink()
    shutil.copy(ROOT / "generated/payman_api/rest/client.py", bare / "generated/payman_api/rest")
    assert "removed generated/payman_api/rest/client.py" in regenerate().out
    assert not (bare / "generated/payman_api/rest").exists()
    assert (bare / "generated/payman_api/errors.py").exists()
