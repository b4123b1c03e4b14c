"""The types of a program for the properties that openapi-python-client has parsed: its own, where it has one for what the API may send."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.responses import Response


class Annotations:
    """Gives annotations: the choices of a union stay in their order, and objects without members are dicts."""

    def __init__(self, maps: Collection[str], other: str) -> None:
        self._maps, self._other = maps, other

    def of(self, *properties: Any) -> str:
        """Give the annotation of what may be any of some properties or answers."""
        choices = list(dict.fromkeys(choice for each in properties for choice in self._choices(each)))
        if "Any" in choices:
            return "Any"
        constants = [
            choice.removeprefix("Literal[")[:-1] for choice in choices if choice.startswith("Literal[")
        ]
        if constants:
            first = next(number for number, choice in enumerate(choices) if choice.startswith("Literal["))
            choices[first] = f"Literal[{', '.join(constants)}]"
            choices = [
                it for number, it in enumerate(choices) if number <= first or not it.startswith("Literal[")
            ]
        return " | ".join(sorted(choices, key=lambda choice: choice == "None")) or "None"

    def declared(self, each: Any) -> str:
        """Give the annotation of a member or a parameter, absence included."""
        return self.of(each) if each.required else f"{self.of(each)} | Unset"

    def optional(self, *properties: Any) -> str:
        """Give the annotation of what may be None besides."""
        found = self.of(*properties)
        return found if {"None", "Any"} & {*found.split(" | ")} else f"{found} | None"

    def classes(self, *properties: Any) -> list[Class]:
        """Give the generated classes that an annotation names."""
        found = {made.name: made for each in properties for made in self._classes(each)}
        return [found[name] for name in sorted(found)]

    def _choices(self, each: Any) -> Iterable[str]:
        match each:
            case Response(source={"return_type": "None"}):
                return ["None"]
            case Response(source={"return_type": "bytes"}):
                return ["bytes"]
            case Response():
                return self._choices(each.prop)
            case UnionProperty():
                return [choice for inner in each.inner_properties for choice in self._choices(inner)]
            case ListProperty():
                return [f"list[{self.of(each.inner_property)}]"]
            case ConstProperty():
                return [f"Literal[{each.value.raw_value!r}]"]
            case ModelProperty() if each.class_info.name in self._maps:
                return [f"dict[str, {self.of(each.additional_properties)}]"]
            case _:
                return [each.get_base_type_string().as_unembedded_code()]

    def _classes(self, each: Any) -> Iterator[Class]:
        match each:
            case Response():
                yield from self._classes(each.prop)
            case UnionProperty():
                for inner in each.inner_properties:
                    yield from self._classes(inner)
            case ListProperty():
                yield from self._classes(each.inner_property)
            case ModelProperty() if each.class_info.name in self._maps:
                yield from self._classes(each.additional_properties)
            case ModelProperty() | EnumProperty() if each.class_info.name != self._other:
                yield each.class_info
            case _:
                pass
