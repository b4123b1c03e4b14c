"""How what griffe has read of functions and types is written in the record."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from griffe import Class, Expr, ExprCall, ExprKeyword, Function, Parameter, ParameterKind, Parameters

Types = Mapping[str, str]
"""What stands for the type variables of a generic base class."""

_ATTRS = ("attrs.define", "attrs.frozen", "attrs.mutable")


def type_text(expression: Expr | str | None, types: Types | None = None) -> str:
    """A type as the source has it, without quotes, and without type variables that are known; empty where there is none."""
    text = "" if expression is None else str(expression)
    if text.startswith(("'", '"')):
        text = str(ast.literal_eval(text))
    for variable, meant in (types or {}).items():
        text = re.sub(rf"(?<![\w.]){variable}(?!\w)", meant, text)
    return text


def signature(
    those: Iterable[Parameter], returned: Expr | str | None = None, types: Types | None = None
) -> str:
    """The parameters, each with its type and `...` for a default, and what is returned.

    Args:
        those: The parameters, without one that Python fills in.
        returned: The type of what is returned.
        types: What stands for type variables.
    """
    shown = Parameters(
        *(
            Parameter(
                one.name,
                annotation=type_text(one.annotation, types) or None,
                kind=one.kind,
                default=None if one.default is None else "...",
            )
            for one in those
        )
    )
    return Function("", parameters=shown, returns=type_text(returned, types) or None).signature()


def is_attrs(made: Class) -> bool:
    """Whether attrs writes the class's `__init__`."""
    return any(decorator.callable_path in _ATTRS for decorator in made.decorators)


def is_named_tuple(made: Class) -> bool:
    """Whether its members are those of a tuple."""
    return any(isinstance(base, Expr) and base.canonical_path.endswith(".NamedTuple") for base in made.bases)


def is_frozen(made: Class) -> bool:
    """Whether its attributes can only be read."""
    return is_named_tuple(made) or any(
        decorator.callable_path == "attrs.frozen" or _arguments(decorator.value).get("frozen") == "True"
        for decorator in made.decorators
    )


def written_init(lineage: Sequence[Class]) -> str | None:
    """The signature of an `__init__` that attrs writes, or of a named tuple; None for other classes. griffe knows dataclasses only.

    Args:
        lineage: The class and its bases, the class first.
    """
    if is_attrs(lineage[0]) and "__init__" not in lineage[0].members:
        found = {field.name: field for made in reversed(lineage) if is_attrs(made) for field in _fields(made)}
        return signature(sorted(found.values(), key=lambda it: it.kind is ParameterKind.keyword_only))
    for made in lineage if any(map(is_named_tuple, lineage)) else ():
        new = made.members.get("__new__")
        if isinstance(new, Function):
            return signature(list(new.parameters)[1:])
        if is_named_tuple(made):
            return signature(_fields(made))
    return None


def _fields(made: Class) -> Iterator[Parameter]:
    """What a class is made with: its annotated attributes that are neither properties nor `ClassVar`."""
    by_keyword = any(_arguments(decorator.value).get("kw_only") == "True" for decorator in made.decorators)
    for attribute in made.attributes.values():
        if attribute.annotation is None:
            continue
        value, given = attribute.value, dict[str, str]()
        if isinstance(value, ExprCall) and value.canonical_path == "attrs.field":
            given = _arguments(value)
            value = given.get("default") or given.get("factory")
        is_property = "property" in attribute.labels or "instance-attribute" not in attribute.labels
        if not is_property and given.get("init") != "False":
            is_named = by_keyword or given.get("kw_only") == "True"
            yield Parameter(
                attribute.name.lstrip("_"),
                annotation=attribute.annotation,
                kind=ParameterKind.keyword_only if is_named else ParameterKind.positional_or_keyword,
                default=value,
            )


def _arguments(expression: Expr | str | None) -> dict[str, str]:
    """The keywords of a call, as text."""
    arguments = expression.arguments if isinstance(expression, ExprCall) else ()
    return {it.name: str(it.value) for it in arguments if isinstance(it, ExprKeyword)}
