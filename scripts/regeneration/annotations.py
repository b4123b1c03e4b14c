"""The types of a program for the properties that openapi-python-client has parsed: its own, where it has one for what the API may send."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.responses import Response


class Annotations:
    """Gives annotations: the choices of a union stay in their order, and objects without members are dicts."""

    def __init__(self, classes: Collection[str], maps: Collection[str]) -> None:
        self._classes, self._maps = set(classes), maps

    def of(self, *properties: Any) -> str:
        """Give the annotation of what may be any of some properties or answers."""
        choices = list(dict.fromkeys(choice for each in properties for choice in self._choices(each)))
        if "Any" in choices:
            return "Any"
        literals = [choice for choice in choices if choice.startswith("Literal[")]
        if len(literals) > 1:
            one = f"Literal[{', '.join(literal[8:-1] for literal in literals)}]"
            choices = [one if it == literals[0] else it for it in choices if it not in literals[1:]]
        return " | ".join(sorted(choices, key=lambda choice: choice == "None")) or "None"

    def declared(self, each: Any) -> str:
        """Give the annotation of a member or a parameter, absence included."""
        return self.of(each) if each.required else f"{self.of(each)} | Unset"

    def optional(self, *properties: Any) -> str:
        """Give the annotation of what may be None besides."""
        found = self.of(*properties)
        return found if {"None", "Any"} & {*found.split(" | ")} else f"{found} | None"

    def classes(self, *properties: Any) -> list[str]:
        """Give the generated classes that the annotations of some properties name."""
        return sorted(
            self._classes & {word for each in properties for word in re.findall(r"\w+", self.of(each))}
        )

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
