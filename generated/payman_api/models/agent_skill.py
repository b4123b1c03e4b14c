from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

from ..types import UNSET, Model, Unset


class AgentSkill(Model):
    """Something the agent is good at.

    Attributes:
        id (str):
        name (str):
        description (None | str | Unset):
        tags (list[str] | None | Unset):
        examples (list[str] | None | Unset): What one might ask.
        input_modes (list[str] | None | Unset):
        output_modes (list[str] | None | Unset):
    """

    __slots__ = (
        "id",
        "name",
        "description",
        "tags",
        "examples",
        "input_modes",
        "output_modes",
        "additional_properties",
    )
    __match_args__ = (
        "id",
        "name",
        "description",
        "tags",
        "examples",
        "input_modes",
        "output_modes",
    )

    id: str
    name: str
    description: None | str | Unset
    tags: list[str] | None | Unset
    examples: list[str] | None | Unset
    input_modes: list[str] | None | Unset
    output_modes: list[str] | None | Unset
    additional_properties: dict[str, Any]

    def __init__(
        self,
        id: str,
        name: str,
        description: None | str | Unset = UNSET,
        tags: list[str] | None | Unset = UNSET,
        examples: list[str] | None | Unset = UNSET,
        input_modes: list[str] | None | Unset = UNSET,
        output_modes: list[str] | None | Unset = UNSET,
    ) -> None:
        self.id = id
        self.name = name
        self.description = description
        self.tags = tags
        self.examples = examples
        self.input_modes = input_modes
        self.output_modes = output_modes
        self.additional_properties = {}

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        id = self.id

        name = self.name

        description: None | str | Unset = self.description

        tags: list[str] | None | Unset
        if isinstance(self.tags, Unset):
            tags = UNSET
        elif isinstance(self.tags, list):
            tags = self.tags

        else:
            tags = self.tags

        examples: list[str] | None | Unset
        if isinstance(self.examples, Unset):
            examples = UNSET
        elif isinstance(self.examples, list):
            examples = self.examples

        else:
            examples = self.examples

        input_modes: list[str] | None | Unset
        if isinstance(self.input_modes, Unset):
            input_modes = UNSET
        elif isinstance(self.input_modes, list):
            input_modes = self.input_modes

        else:
            input_modes = self.input_modes

        output_modes: list[str] | None | Unset
        if isinstance(self.output_modes, Unset):
            output_modes = UNSET
        elif isinstance(self.output_modes, list):
            output_modes = self.output_modes

        else:
            output_modes = self.output_modes

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict["id"] = id
        field_dict["name"] = name
        if description is not UNSET:
            field_dict["description"] = description
        if tags is not UNSET:
            field_dict["tags"] = tags
        if examples is not UNSET:
            field_dict["examples"] = examples
        if input_modes is not UNSET:
            field_dict["inputModes"] = input_modes
        if output_modes is not UNSET:
            field_dict["outputModes"] = output_modes

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read it from what JSON has.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is not as the spec has it.
        """
        if isinstance(src_dict, (list, str)):
            raise TypeError(f"AgentSkill must be an object, got {type(src_dict).__name__}")
        d = dict(src_dict)
        id = d.pop("id")
        if not isinstance(id, str):
            raise TypeError(f"id must be str, got {type(id).__name__}")

        name = d.pop("name")
        if not isinstance(name, str):
            raise TypeError(f"name must be str, got {type(name).__name__}")

        _description = d.pop("description", UNSET)
        if isinstance(_description, dict | list):
            raise TypeError(f"description must be None | str, got {type(_description).__name__}")
        description = cast("None | str | Unset", _description)

        def _parse_tags(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                tags_type_0 = cast(list[str], data)

                return tags_type_0
            raise TypeError(f"tags must be list[str] | None, got {type(data).__name__}")

        tags = _parse_tags(d.pop("tags", UNSET))

        def _parse_examples(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                examples_type_0 = cast(list[str], data)

                return examples_type_0
            raise TypeError(f"examples must be list[str] | None, got {type(data).__name__}")

        examples = _parse_examples(d.pop("examples", UNSET))

        def _parse_input_modes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                input_modes_type_0 = cast(list[str], data)

                return input_modes_type_0
            raise TypeError(f"inputModes must be list[str] | None, got {type(data).__name__}")

        input_modes = _parse_input_modes(d.pop("inputModes", UNSET))

        def _parse_output_modes(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            if isinstance(data, list):
                output_modes_type_0 = cast(list[str], data)

                return output_modes_type_0
            raise TypeError(f"outputModes must be list[str] | None, got {type(data).__name__}")

        output_modes = _parse_output_modes(d.pop("outputModes", UNSET))

        agent_skill = cls(
            id=id,
            name=name,
            description=description,
            tags=tags,
            examples=examples,
            input_modes=input_modes,
            output_modes=output_modes,
        )
        agent_skill.additional_properties = d
        return agent_skill

    @property
    def additional_keys(self) -> list[str]:
        """The names of the members that the spec does not have."""
        return list(self.additional_properties)

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
