"""What has to be known of a document's schemas before its classes are made: which members are files, and which tell the models of a choice apart."""

from itertools import chain
from typing import Any

from scripts.regeneration.documents import Document
from scripts.regeneration.pointers import Node, split, walk
from scripts.regeneration.schema_parts import CHOICES, check, combine, flatten


class Survey:
    """Goes through a document once.

    Attributes:
        files: The places of schemas that are files: those of members of multipart bodies.
        tags: For the place of a model, the members that tell it from others, each with its values.
        with_others: The places of choices of which a model that is not listed can be recognized.
    """

    def __init__(self, document: Document) -> None:
        self.files: set[str] = set()
        self.tags: dict[str, dict[str, list[Any]]] = {}
        self.with_others: set[str] = set()
        for value, place in walk(document):
            node = Node(document, value, place)
            self._find_files(node)
            self._find_tags(node)

    def _find_files(self, body: Node) -> None:
        """Note the members of a multipart body that are files; JSON has none."""
        holder, media = ["", "", *split(body.place)][-2:]
        if holder == "content" and media.lower().startswith("multipart/form-data") and "schema" in body:
            for member in chain.from_iterable(flatten(body["schema"]).members.values()):
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
        is_raw = "contentMediaType" in found and "contentEncoding" not in found
        if is_raw or found.value.get("format") == "binary":
            self.files.add(found.place)

    def _find_tags(self, schema: Node) -> None:
        """Note the member that says which model of a choice a value is."""
        keyword = next((each for each in CHOICES if isinstance(schema.value.get(each), list)), None)
        if keyword is None:
            return
        check(schema)
        given = schema.value.get("discriminator", {})
        models: list[tuple[str, tuple[str, str], dict[str, Node]]] = []
        for variant in schema[keyword]:
            shape = flatten(variant)
            if not shape.choice and shape.merged.get("properties"):
                members = {wire: combine(several) for wire, several in shape.members.items()}
                reference = variant.value.get("$ref", "")
                models.append((variant.resolve().place, (reference, reference.rpartition("/")[2]), members))
        for value, target in given.get("mapping", {}).items() if models else ():
            if not any(target in names for _, names, _ in models):
                said = f"The discriminator maps {value!r:.40} to {target!r:.60}"
                schema["discriminator"].refuse(f"{said}, which is none of the choices")
        wires = [given["propertyName"]] if given else [*models[0][2]] if models else []
        for wire in wires:
            values = [_tag_values(members.get(wire), given, names) for _, names, members in models]
            flat = [repr(value) for each in values for value in each]
            if len(models) < 2 or not all(values) or len({*flat}) < len(flat):
                continue
            self.with_others.add(schema[keyword].place)
            for (at, _, _), each in zip(models, values, strict=True):
                known = self.tags.setdefault(at, {}).setdefault(wire, [])
                known += [value for value in each if value not in known]
            return
        if given:
            schema.refuse(f"The discriminator {wires[0]!r:.60} does not tell the choices apart")


def _tag_values(member: Node | None, discriminator: dict[str, Any], names: tuple[str, str]) -> list[Any]:
    """Return the values of a member that say which model it is in, in the end the names that the discriminator has for it."""
    values = flatten(member).values if member else []
    if not values and discriminator and any(names):
        mapping = discriminator.get("mapping", {})
        values = [value for value, target in mapping.items() if target in names] or [names[1]]
    return values if all(isinstance(value, str | int) for value in values) else []
