import subprocess
import sys
from importlib import import_module
from inspect import signature

import pytest

import payman_api
import payman_api.models
import payman_api.rest.models
from payman_api import PATHS
from tests.tables import table

TAGS = {"create_token": "oauth", "authorize": "oauth", "get_agent_card": "agent"}
STREAMS = {"send_task_subscribe", "resubscribe_task"}


def modules_after(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.slow
def test_importing_the_package_is_cheap() -> None:
    """`import payman_api` brings in neither httpx nor attrs nor a model."""
    loaded = modules_after("import payman_api, payman_api.models")
    assert "payman_api" in loaded
    assert not loaded & {"httpx", "attrs", "attr", "payman_api.client", "payman_api.models.task"}


@pytest.mark.slow
def test_importing_a_model_imports_what_it_needs() -> None:
    """A model is imported alone."""
    loaded = modules_after("from payman_api.models import TextPart")
    assert {name for name in loaded if name.startswith("payman_api.models.")} == {
        "payman_api.models.text_part"
    }


def test_all_names_are_there() -> None:
    """Every name that a package lists can be had from it, is completed by editors, and others cannot."""
    for package in (payman_api, payman_api.models, payman_api.rest, payman_api.rest.models):
        assert {*package.__all__} <= {*dir(package)}, package
        for name in package.__all__:
            assert getattr(package, name, None) is not None
        with pytest.raises(AttributeError, match="Nothing"):
            package.Nothing  # noqa: B018 (the look-up is what is tested)


@table("operation", PATHS)
def test_pure_halves_are_public(operation: str) -> None:
    """Every operation's module builds requests and reads answers without sending; streams have functions of their own kind."""
    module = import_module(f"payman_api.api.{TAGS.get(operation, 'tasks')}.{operation}")
    assert list(signature(module.parse_answer).parameters) == ["response", "raise_on_unexpected_status"]
    assert callable(module.build_request)
    functions = {"sync_parsed", "sync_detailed", "asyncio_parsed", "asyncio_detailed"}
    streaming = {"parse_event", "stream", "astream", "iter_events", "aiter_events"}
    assert {name for name in functions | streaming if hasattr(module, name)} == (
        streaming if operation in STREAMS else functions
    )
