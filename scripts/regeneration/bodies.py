"""The bodies of requests, answers and events: which media type is taken, and what it holds."""

from scripts.regeneration.expressions import ANY, Expression, choices_of
from scripts.regeneration.facts import EVENTS, Body
from scripts.regeneration.identifiers import to_class
from scripts.regeneration.pointers import Node
from scripts.regeneration.schema_parts import SHAPES
from scripts.regeneration.schemas import Schemas

_FORMS = {"application/x-www-form-urlencoded": "form", "multipart/form-data": "multipart"}
"""The kinds of bodies that the media types of forms are."""
_RANKS = ("json", "form", "multipart", "text", "bytes")
"""Which kind of body is taken where a document offers several: the first of these."""


class Bodies:
    """The bodies of a document."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def read(self, given: Node, name: str, is_read: bool = False) -> Body | None:
        """Read the body of a request; `is_read` says that the client does not send it."""
        if "requestBody" not in given:
            return None
        body = given["requestBody"].find("content")
        found = self._choose(body["content"].entries(), f"{to_class(name)}Body")
        if found is None:
            body.refuse("A request body without a media type cannot be rendered")
        media = found.media
        if "*" in media and not is_read:
            usual = {"json": "application/json", "text": "text/plain"}
            media = usual.get(found.kind, "application/octet-stream")
            if found.media not in ("*/*", f"{media.partition('/')[0]}/*"):
                found.source.refuse(f"A request as {found.media} cannot be rendered")
        if found.kind in ("form", "multipart"):
            self._check_members(found)
        is_required = is_read or bool(body.value.get("required"))
        return found._replace(media=media, is_required=is_required, encoding=self._encoding(found))

    def _check_members(self, body: Body) -> None:
        """Refuse what a form has no place for: anything but an object, and objects or lists inside others."""
        schema = body.source.get("schema")
        for choice in choices_of(body.expression):
            members = self._schemas.members_of(choice)
            if members is None:
                schema.refuse(f"A body as {body.media} that is not an object cannot be rendered")
            for wire, member in members.items():
                inner = [it for each in choices_of(member) for it in choices_of(each.get("items", each))]
                has_lists = any(it.get("type") == "array" for it in inner)
                if has_lists or not (body.kind == "multipart" or self._schemas.is_list(member)):
                    what = f"{wire} in a body as {body.media}, an object or list,"
                    schema.refuse(f"{what} cannot be rendered")

    def _encoding(self, body: Body) -> dict[str, str]:
        """Return the media types of parts that are not of the usual one."""
        found: dict[str, str] = {}
        members = self._schemas.members_of(body.expression) or {}
        for wire, how in body.source.get("encoding", {}).entries().items():
            media = str(how.value.get("contentType", ""))
            kinds = [each.get("items", each) for each in choices_of(members.get(wire, ANY))]
            is_file = all(each.get("format") == "binary" for each in kinds)
            is_plain = all(map(self._schemas.is_plain, kinds))
            is_json = classify_media(media) == "json"
            is_exact = "*" not in media and "," not in media
            is_part = body.kind == "multipart" and wire in members and how.value.keys() <= {"contentType"}
            if not is_part or not (is_file or (is_exact and is_json != is_plain)):
                how.refuse(f"The encoding of {wire} cannot be rendered")
            if media and is_exact:
                found[wire] = media
        return found

    def read_answers(self, given: Node, name: str) -> tuple[dict[str, Body | None], list[Body]]:
        """Read the bodies of answers by their statuses, and those of events."""
        answers: dict[str, Body | None] = {}
        events: list[Body] = []
        listed = given.get("responses", {}).members()
        for status, answer in listed.items():
            content = answer.find("description").get("content", {}).entries()
            is_success = status[0] == "2" or (status == "default" and not any(it[0] == "2" for it in listed))
            for media in [media for media in content if _essence(media) == EVENTS]:
                stream = content.pop(media)
                if not is_success:
                    stream.refuse("An event stream with a status of failure cannot be rendered")
                found = self._schemas.express(stream.get("schema", {}), f"{to_class(name)}Event")
                self._check_event(found, stream)
                events.append(Body(EVENTS, "event", found, stream))
            if given.place.endswith("/head") or status in ("204", "205", "304"):
                content = {}  # such an answer has no body, whatever a document says
            body = self._choose(content, f"{to_class(name)}Response{to_class(status).removeprefix('Field')}")
            if body and body.kind in ("form", "multipart"):
                body.source.refuse(f"An answer as {body.media} cannot be rendered")
            answers[status if status == "default" else status.upper()] = body
        return answers, events

    def _check_event(self, event: Expression, stream: Node) -> None:
        """Refuse events whose data may be something else than one object of JSON."""
        for choice in choices_of(event):
            members = self._schemas.members_of(choice)
            if members is None or ("data" in members and {*members} <= {"", "event", "data", "id", "retry"}):
                what = "An event stream of anything but objects, the data of events,"
                stream.refuse(f"{what} cannot be rendered")

    def _choose(self, content: dict[str, Node], name: str) -> Body | None:
        """Choose the media type of a body, by `_RANKS` and then by their order."""
        kinds = {media: classify_media(media) or _raw_kind(media, given) for media, given in content.items()}
        media = min(filter(kinds.get, kinds), key=lambda it: _RANKS.index(kinds[it]), default=None)
        if media is None:
            for unknown, given in content.items():
                given.refuse(f"A body as {unknown} cannot be rendered")
            return None
        found = self._body_type(content[media], kinds[media], name)
        return Body(media, kinds[media], found, content[media], has_others=len(content) > 1)

    def _body_type(self, given: Node, kind: str, name: str) -> Expression:
        for key in ("itemSchema", "itemEncoding", "prefixEncoding"):
            if key in given:
                given.refuse(f"{key} cannot be rendered")
        if kind in ("text", "bytes"):
            return {"type": "string" if kind == "text" else kind}
        if "schema" not in given:
            return ANY
        found = self._schemas.express(given["schema"], name)
        return self._schemas.map_of(ANY) if kind in ("form", "multipart") and found == ANY else found


def _essence(media: str) -> str:
    """Return a media type without its parameters."""
    return media.partition(";")[0].strip().lower()


def classify_media(media: str) -> str:
    """Return the kind of body that a media type is; nothing where that is for its schema to say."""
    media = _essence(media)
    if media in ("application/json", "text/json") or media.endswith("+json"):
        return "json"
    return _FORMS.get(media, "text" if media.startswith("text/") and media != "text/xml" else "")


def _raw_kind(media: str, given: Node) -> str:
    """Return the kind of a body that its media type does not give: bytes, if its schema says so, or nothing else."""
    schema = given.get("schema", {}).resolve().value
    is_text = isinstance(schema, dict) and schema.get("type") == "string"
    if media in ("*/*", "application/*"):
        if is_text and schema.get("format") != "binary":
            given.refuse(f"A text as {media}, which may be JSON or not, cannot be rendered")
        return "bytes" if is_text else "json"
    return "bytes" if is_text or schema is True or not {*schema} & SHAPES else ""
