"""The examples in docstrings run, against a sandbox where they need one."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import payman_sdk

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(payman_sdk.__path__, "payman_sdk.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["payman_sdk", *MODULES])
def test_docstring_examples_run(name: str) -> None:
    """What a docstring shows is what happens."""
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples() -> None:
    """The finder finds examples: without this, a broken finder would pass."""
    finder = doctest.DocTestFinder()
    client = importlib.import_module("payman_sdk._client.sync_methods")
    assert sum(bool(test.examples) for test in finder.find(client)) >= 4
