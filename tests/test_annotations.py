"""Every annotation of the public surface can be evaluated at run time, as FastAPI, pydantic and typer do."""

from __future__ import annotations

import functools
import importlib
import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest

PUBLIC = (
    "payman_sdk",
    "payman_sdk.agents",
    "payman_sdk.client",
    "payman_sdk.errors",
    "payman_sdk.sandbox",
    "payman_sdk.testing",
    "payman_sdk.token_stores",
    "payman_sdk.token_stores.base",
    "payman_sdk.types",
    "payman_sdk.agents.langchain",
    "payman_sdk.agents.mcp",
    "payman_sdk.agents.openai_agents",
    "payman_sdk.agents.pydantic_ai",
)


def walk(value: Any, name: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield a class or function of ours, and everything public in a class, inherited or not."""
    if id(value) in seen or not getattr(value, "__module__", "").startswith("payman_sdk"):
        return
    seen.add(id(value))
    if inspect.isclass(value):
        yield name, value
        for member in {*dir(value), "__init__"}:
            if member == "__init__" or not member.startswith("_"):
                found = inspect.getattr_static(value, member)
                for one in (found.fget, found.fset) if isinstance(found, property) else (found,):
                    one = one.func if isinstance(one, functools.cached_property) else one
                    one = getattr(one, "__func__", one)
                    if inspect.isfunction(one):
                        yield from walk(one, f"{name}.{member}", seen)
    elif callable(value) and hasattr(value, "__code__"):
        yield name, value


@pytest.mark.slow
def test_every_annotation_can_be_evaluated() -> None:
    """`typing.get_type_hints` works on every public class, function, method and property, and so does `inspect.signature`."""
    seen: set[int] = set()
    wrong: list[str] = []
    count = 0
    for module_name in PUBLIC:
        module = importlib.import_module(module_name)
        for public in module.__all__:
            for name, value in walk(getattr(module, public), f"{module_name}.{public}", seen):
                count += 1
                try:
                    typing.get_type_hints(value, include_extras=True)
                    if not inspect.isclass(value):
                        inspect.signature(value, eval_str=True)
                except Exception as error:
                    wrong.append(f"{name}: {type(error).__name__}: {error}")
    assert not wrong, "\n".join(wrong)
    assert count > 300
