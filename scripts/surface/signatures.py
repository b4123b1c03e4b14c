"""How what griffe has read of functions and types is written in the record."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Any

import griffe

Types = Mapping[str, str]
"""What stands for the type variables of a generic base class."""

_ATTRS = ("attrs.define", "attrs.frozen", "attrs.mutable")


def type_text(expression: griffe.Expr | str | None, types: Types | None = None) -> str:
    """A type as the source has it, without quotes, and without type variables that are known; empty where there is none."""
    text = "" if expression is None else str(expression)
    if text.startswith(("'", '"')):
        text = str(ast.literal_eval(text))
    for variable, meant in (types or {}).items():
        text = re.sub(rf"(?<![\w.]){variable}(?!\w)", meant, text)
    return text


def signature(
    those: Iterable[griffe.Parameter], returned: griffe.Expr | str | None = None, types: Types | None = None
) -> str:
    """The parameters, each with its type and `...` for a default, and what is returned.

    Args:
        those: The parameters, without one that Python fills in.
        returned: The type of what is returned.
        types: What stands for type variables.
    """
    shown = [
        griffe.Parameter(
            one.name.lstrip("_"),  # attrs takes so what it keeps with an underscore
            annotation=type_text(one.annotation, types) or None,
            kind=one.kind,
            default=None if one.default is None else "...",
        )
        for one in those
    ]
    parameters, returns = griffe.Parameters(*shown), type_text(returned, types) or None
    return griffe.Function("", parameters=parameters, returns=returns).signature()


def is_frozen(made: griffe.Class) -> bool:
    """Whether its attributes can only be read."""
    return any(_arguments(decorator.value).get("frozen") == "True" for decorator in made.decorators)


def _arguments(expression: griffe.Expr | str | None) -> dict[str, str]:
    """The keywords of a call, as text."""
    arguments = expression.arguments if isinstance(expression, griffe.ExprCall) else ()
    return {it.name: str(it.value) for it in arguments if isinstance(it, griffe.ExprKeyword)}


class WrittenInit(griffe.Extension):
    """Lets griffe write the `__init__` of attrs classes and of named tuples, as it does for dataclasses."""

    def on_class_members(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        """Show a class as a dataclass, if it is one of these."""
        bases = [base.canonical_path for base in cls.bases if isinstance(base, griffe.Expr)]
        if any(base.endswith(".NamedTuple") for base in bases):
            cls.decorators.append(
                griffe.Decorator(griffe.ExprName("attrs.frozen"), lineno=None, endlineno=None)
            )
        for decorator in cls.decorators:
            if (kind := decorator.callable_path) in _ATTRS:
                given = decorator.value.arguments if isinstance(decorator.value, griffe.ExprCall) else []
                frozen = [griffe.ExprKeyword("frozen", str(kind == "attrs.frozen"))]
                decorator.value = griffe.ExprCall(griffe.ExprName("dataclasses.dataclass"), [*frozen, *given])
        for attribute in cls.attributes.values():
            value = attribute.value
            if isinstance(value, griffe.ExprCall) and value.canonical_path == "attrs.field":
                value.function = griffe.ExprName("dataclasses.field")
                for keyword in value.arguments:
                    if isinstance(keyword, griffe.ExprKeyword) and keyword.name == "factory":
                        keyword.name = "default_factory"
        new = cls.members.get("__new__")
        if isinstance(new, griffe.Function) and "__init__" not in cls.members:
            cls.set_member("__init__", griffe.Function("__init__", parameters=new.parameters, returns="None"))
