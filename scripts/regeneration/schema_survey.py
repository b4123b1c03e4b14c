"""What has to be known of a document's schemas before its classes are made: which members are files, and which tell the models of a choice apart."""

from __future__ import annotations

from typing import Any

from scripts.regeneration.documents import Document
from scripts.regeneration.pointers import join, refuse, resolve, walk
from scripts.regeneration.schema_parts import (
    CHOICES,
    Part,
    check,
    collect_members,
    combine,
    flatten,
    merge,
    values_of,
)


class Survey:
    """Goes through a document once.

    Attributes:
        files: The places of schemas that are files: those of members of multipart bodies.
        tags: For the place of a model, the members that tell it from others, each with its values.
        with_others: The places of choices of which a model that is not listed can be recognised.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.files: set[str] = set()
        self.tags: dict[str, dict[str, list[Any]]] = {}
        self.with_others: set[str] = set()
        for schema, place in walk(document):
            self._find_files(schema, place)
            self._find_tags(schema, place)

    def _find_files(self, schema: dict[str, Any], place: str) -> None:
        """Note the members of multipart bodies that are files; JSON has none."""
        content = schema.get("content")
        for media, given in content.items() if isinstance(content, dict) else ():
            is_multipart = str(media).lower().startswith("multipart/form-data")
            if not is_multipart or not isinstance(given, dict) or "schema" not in given:
                continue
            parts, _ = flatten(self.document, given["schema"], join(place, "content", media, "schema"))
            for part, at in parts:
                for wire, inner in part.get("properties", {}).items():
                    self._find_file(inner, join(at, "properties", wire))

    def _find_file(self, schema: Any, place: str, seen: tuple[str, ...] = ()) -> None:
        found, where = resolve(self.document, schema, place)
        if not isinstance(found, dict) or where in seen:
            return
        seen = (*seen, where)
        if "items" in found:
            self._find_file(found["items"], join(where, "items"), seen)
        for keyword in ("allOf", *CHOICES):
            for number, each in enumerate(found.get(keyword, ())):
                self._find_file(each, join(where, keyword, number), seen)
        if found.get("format") == "binary" or (
            "contentMediaType" in found and "contentEncoding" not in found
        ):
            self.files.add(where)

    def _find_tags(self, schema: dict[str, Any], place: str) -> None:
        """Note the member that says which model of a choice a value is."""
        keyword = next((each for each in CHOICES if isinstance(schema.get(each), list)), None)
        if keyword is None:
            return
        check(schema, place)
        models: list[tuple[str, str, dict[str, Part]]] = []
        for number, variant in enumerate(schema[keyword]):
            parts, deeper = flatten(self.document, variant, join(place, keyword, number))
            merged = {} if deeper else merge(parts, place)
            if merged.get("properties"):
                # Of what is referred to, where it is.
                at = resolve(self.document, variant, join(place, keyword, number))[1]
                members = {wire: combine(several) for wire, several in collect_members(parts).items()}
                models.append((at, str(variant.get("$ref", "")), members))
        given = schema.get("discriminator")
        if isinstance(given, dict) and models:
            names = {name for _, it, _ in models for name in (it, it.rpartition("/")[2])}
            for value, target in (given.get("mapping") or {}).items():
                if target not in names:
                    refuse(
                        f"The discriminator maps {value!r:.40} to {target!r:.60}, which is none of the choices",
                        join(place, "discriminator"),
                    )
        wires = [*models[0][2]] if models else []
        if isinstance(given, dict):
            wires = [str(given.get("propertyName"))]
        for wire in wires:
            values = [self._tag_values(it.get(wire), given, reference) for _, reference, it in models]
            flat = [repr(value) for each in values for value in each]
            if len(models) < 2 or not all(values) or len({*flat}) < len(flat):
                continue
            self.with_others.add(place)
            for (at, _, _), each in zip(models, values, strict=True):
                known = self.tags.setdefault(at, {}).setdefault(wire, [])
                known += [value for value in each if value not in known]
            return
        if given is not None:
            refuse(
                f"The discriminator {next(iter(wires), given)!r:.60} does not tell the choices apart", place
            )

    def _tag_values(self, given: Part | None, discriminator: Any, reference: str) -> list[Any]:
        merged = merge(flatten(self.document, *given)[0], given[1]) if given else {}
        values = values_of(merged)
        if not values and isinstance(discriminator, dict) and reference:
            name = reference.rpartition("/")[2]
            mapping = discriminator.get("mapping") or {}
            values = [value for value, target in mapping.items() if target in (reference, name)] or [name]
        return values if all(isinstance(value, str | int) for value in values) else []
