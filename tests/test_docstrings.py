"""The examples in docstrings run, against a sandbox where they need one."""

from __future__ import annotations

import doctest
import importlib
import itertools
import pkgutil

import pytest

import payman_sdk

pytestmark = pytest.mark.slow


MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(payman_sdk.__path__, "payman_sdk.")
    if not module.name.endswith("__main__")
)


ELSEWHERE = {
    f"payman_sdk.agents.{adapter}"
    for adapter in ("autogen", "crewai", "google_adk", "llama_index", "smolagents")
}
"""Adapters whose frameworks are too large for this environment; they have no examples."""

PACKAGES = {
    package: list(names)
    for package, names in itertools.groupby(
        ["payman_sdk", *(name for name in MODULES if name not in ELSEWHERE)],
        lambda name: ".".join(name.split(".")[:2]),
    )
}


@pytest.mark.parametrize("package", PACKAGES)
def test_docstring_examples_run(package: str) -> None:
    """What a docstring shows is what happens."""
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for name in PACKAGES[package]:
        for test in finder.find(importlib.import_module(name)):
            if test.examples:  # most have none, and the runner takes as long for them
                runner.run(test)
    assert runner.failures == 0  # it has printed them


def test_examples_import_what_is_public() -> None:
    """An example of a public name is copied: it imports from where the name is documented."""
    private = {
        test.name
        for name in ["payman_sdk", *MODULES]
        if name not in ELSEWHERE and not name.startswith(("payman_sdk._cli", "payman_sdk._text"))
        for test in doctest.DocTestFinder().find(importlib.import_module(name))
        if any("payman_sdk._" in example.source for example in test.examples)
    }
    assert private == set()


def test_there_are_examples() -> None:
    """The finder finds examples: without this, a broken finder would pass."""
    finder = doctest.DocTestFinder()
    client = importlib.import_module("payman_sdk._client.sync")
    assert sum(bool(test.examples) for test in finder.find(client)) >= 4
