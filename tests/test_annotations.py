"""Every annotation of the public surface can be evaluated at run time, as FastAPI, pydantic and typer do."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import pickle
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

import pytest

from payman_sdk._annotations import NamedTuple as LightTuple

T = TypeVar("T")

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


class _Light(LightTuple, Generic[T]):
    """A tuple of the SDK's own."""

    amount: Decimal
    memo: str | None = None

    def describe(self) -> str:
        return f"{self.amount} {self.memo}"


class _Usual(NamedTuple, Generic[T]):
    """A tuple of the SDK's own."""

    amount: Decimal
    memo: str | None = None

    def describe(self) -> str:
        return f"{self.amount} {self.memo}"


def test_named_tuples_are_those_of_typing() -> None:
    """Only their annotations stay texts; they are evaluated where somebody asks for them."""
    light, usual = _Light(Decimal(1)), _Usual(Decimal(1))
    assert tuple(light) == tuple(usual) and light.describe() == usual.describe() == "1 None"
    assert repr(light) == repr(usual).replace("_Usual", "_Light")
    assert pickle.loads(pickle.dumps(light)) == copy.copy(light) == light._replace(memo=None)  # noqa: S301
    for name in ("__doc__", "__module__", "__match_args__", "_fields", "_field_defaults"):
        assert getattr(_Light, name) == getattr(_Usual, name), name
    assert typing.get_type_hints(_Light) == typing.get_type_hints(_Usual)
    with pytest.raises(TypeError):
        _Light(memo="x")  # type: ignore[call-arg]
