"""How what griffe has read of functions and types is written in the record."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

from griffe import Attribute, Class, Expr, ExprCall, Function, Parameter, ParameterKind

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


def signature(function: Function, types: Types | None = None, *, bound: bool) -> str:
    """The parameters, whether each has a default, and what is returned.

    Args:
        function: The function.
        types: What stands for type variables.
        bound: Whether the first parameter is filled in by Python.
    """
    given = parameters(list(function.parameters)[1 if bound else 0 :], types)
    returned = type_text(function.returns, types)
    return f"({given}) -> {returned}" if returned else f"({given})"


def parameters(those: Iterable[Parameter], types: Types | None = None) -> str:
    """Parameters as they stand between the parentheses; a default is `...`."""
    said: list[str] = []
    before: ParameterKind | None = None
    for parameter in those:
        kind = parameter.kind
        if before is ParameterKind.positional_only and kind is not before:
            said.append("/")
        if kind is ParameterKind.keyword_only and before not in (kind, ParameterKind.var_positional):
            said.append("*")
        said.append(_parameter(parameter, types))
        before = kind
    if before is ParameterKind.positional_only:
        said.append("/")
    return ", ".join(said)


def _parameter(parameter: Parameter, types: Types | None) -> str:
    stars = {ParameterKind.var_positional: "*", ParameterKind.var_keyword: "**"}
    star = stars.get(parameter.kind, "") if parameter.kind else ""
    kind = type_text(parameter.annotation, types)
    text = f"{star}{parameter.name}{f': {kind}' if kind else ''}"
    return text if star or parameter.default is None else f"{text} = ..."


def is_attrs(made: Class) -> bool:
    """Whether attrs writes the class's `__init__`."""
    return any(decorator.callable_path in _ATTRS for decorator in made.decorators)


def is_named_tuple(made: Class) -> bool:
    """Whether its members are those of a tuple."""
    return any(isinstance(base, Expr) and base.canonical_path == "typing.NamedTuple" for base in made.bases)


def named_tuple_init(lineage: Iterable[Class]) -> str | None:
    """What a named tuple is made with: what a `__new__` of its own takes, or else its members; None for other classes."""
    for made in lineage:
        new = made.members.get("__new__")
        if isinstance(new, Function):
            return f"({parameters(list(new.parameters)[1:])})"
        if is_named_tuple(made):
            members = [one for one in made.members.values() if isinstance(one, Attribute) and _is_field(one)]
            fields = (_of_field(one, keyword_only=False) for one in members if one.annotation is not None)
            return f"({parameters(field for field in fields if field is not None)})"
    return None


def is_frozen(made: Class) -> bool:
    """Whether its attributes can only be read."""
    if is_named_tuple(made):
        return True
    for decorator in made.decorators:
        if decorator.callable_path == "attrs.frozen":
            return True
        if decorator.callable_path == "dataclasses.dataclass":
            return _arguments(decorator.value).get("frozen") == "True"
    return False


def attrs_init(lineage: Iterable[Class]) -> str:
    """The signature of the `__init__` that attrs writes; griffe does that for dataclasses only.

    Args:
        lineage: The class and its bases, the class first.
    """
    found: dict[str, Parameter] = {}
    for made in reversed([made for made in lineage if is_attrs(made)]):
        options = next(_arguments(decorator.value) for decorator in made.decorators)
        for attribute in made.members.values():
            if isinstance(attribute, Attribute) and attribute.annotation is not None and _is_field(attribute):
                parameter = _of_field(attribute, keyword_only=options.get("kw_only") == "True")
                if parameter is not None:
                    found[attribute.name] = parameter
    order = sorted(found.values(), key=lambda parameter: parameter.kind is ParameterKind.keyword_only)
    return f"({parameters(order)})"


def _is_field(attribute: Attribute) -> bool:
    """Whether it is neither a property nor a `ClassVar`."""
    return "property" not in attribute.labels and "instance-attribute" in attribute.labels


def _of_field(attribute: Attribute, *, keyword_only: bool) -> Parameter | None:
    given = _arguments(attribute.value)
    is_call = isinstance(attribute.value, ExprCall) and attribute.value.canonical_path == "attrs.field"
    if is_call and given.get("init") == "False":
        return None
    default = (given.get("default") or given.get("factory")) if is_call else attribute.value
    by_keyword = keyword_only or (is_call and given.get("kw_only") == "True")
    return Parameter(
        attribute.name.lstrip("_"),
        annotation=attribute.annotation,
        kind=ParameterKind.keyword_only if by_keyword else ParameterKind.positional_or_keyword,
        default=None if default is None else str(default),
    )


def _arguments(expression: Expr | str | None) -> dict[str, str]:
    """The keywords of a call, as text."""
    if not isinstance(expression, ExprCall):
        return {}
    return {
        argument.name: str(argument.value)
        for argument in expression.arguments
        if hasattr(argument, "name") and hasattr(argument, "value")
    }
