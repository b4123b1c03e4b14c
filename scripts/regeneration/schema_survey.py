"""What has to be known of a document's schemas before its classes are made: which members are files, and which tell the models of a choice apart."""

from __future__ import annotations

from itertools import chain
from typing import Any

from scripts.regeneration.documents import Document
from scripts.regeneration.pointers import Node, walk
from scripts.regeneration.schema_parts import CHOICES, check, combine, flatten


class Survey:
    """Goes through a document once.

    Attributes:
        files: The places of schemas that are files: those of members of multipart bodies.
        tags: For the place of a model, the members that tell it from others, each with its values.
        with_others: The places of choices of which a model that is not listed can be recognised.
    """

    def __init__(self, document: Document) -> None:
        self.files: set[str] = set()
        self.tags: dict[str, dict[str, list[Any]]] = {}
        self.with_others: set[str] = set()
        for value, place in walk(document):
            self._find_files(Node(document, value, place))
            self._find_tags(Node(document, value, place))

    def _find_files(self, holder: Node) -> None:
        """Note the members of multipart bodies that are files; JSON has none."""
        if not isinstance(holder.value.get("content"), dict):
            return
        for media, given in holder["content"].entries().items():
            is_multipart = media.lower().startswith("multipart/form-data")
            if is_multipart and isinstance(given.value, dict) and "schema" in given:
                for member in chain.from_iterable(flatten(given["schema"]).members.values()):
                    self._find_file(member)

    def _find_file(self, schema: Node, seen: tuple[str, ...] = ()) -> None:
        found = schema.resolve()
        if not isinstance(found.value, dict) or found.place in seen:
            return
        inner = [found["items"]] if "items" in found else []
        for keyword in ("allOf", *CHOICES):
            inner += found.get(keyword, ())
        for each in inner:
            self._find_file(each, (*seen, found.place))
        if found.value.get("format") == "binary" or (
            "contentMediaType" in found and "contentEncoding" not in found
        ):
            self.files.add(found.place)

    def _find_tags(self, schema: Node) -> None:
        """Note the member that says which model of a choice a value is."""
        keyword = next((each for each in CHOICES if isinstance(schema.value.get(each), list)), None)
        if keyword is None:
            return
        check(schema)
        models: list[tuple[str, str, dict[str, Node]]] = []
        for variant in schema[keyword]:
            shape = flatten(variant)
            if not shape.choice and shape.merged.get("properties"):
                members = {wire: combine(several) for wire, several in shape.members.items()}
                models.append((variant.resolve().place, str(variant.value.get("$ref", "")), members))
        given = schema.value.get("discriminator")
        if isinstance(given, dict) and models:
            names = {name for _, it, _ in models for name in (it, it.rpartition("/")[2])}
            for value, target in (given.get("mapping") or {}).items():
                if target not in names:
                    said = f"The discriminator maps {value!r:.40} to {target!r:.60}"
                    schema["discriminator"].refuse(f"{said}, which is none of the choices")
        wires = [*models[0][2]] if models else []
        if isinstance(given, dict):
            wires = [str(given.get("propertyName"))]
        for wire in wires:
            values = [_tag_values(it.get(wire), given, reference) for _, reference, it in models]
            flat = [repr(value) for each in values for value in each]
            if len(models) < 2 or not all(values) or len({*flat}) < len(flat):
                continue
            self.with_others.add(schema[keyword].place)
            for (at, _, _), each in zip(models, values, strict=True):
                known = self.tags.setdefault(at, {}).setdefault(wire, [])
                known += [value for value in each if value not in known]
            return
        if given is not None:
            said = f"The discriminator {next(iter(wires), given)!r:.60}"
            schema.refuse(f"{said} does not tell the choices apart")


def _tag_values(member: Node | None, discriminator: Any, reference: str) -> list[Any]:
    """Return the values of a member that say which model it is in, in the end the names that the discriminator has for it."""
    values = flatten(member).values if member else []
    if not values and isinstance(discriminator, dict) and reference:
        name = reference.rpartition("/")[2]
        mapping = discriminator.get("mapping") or {}
        values = [value for value, target in mapping.items() if target in (reference, name)] or [name]
    return values if all(isinstance(value, str | int) for value in values) else []
