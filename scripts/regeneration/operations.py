"""The operations and webhooks of a document: what is sent, what comes back, with which credentials, to which server."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from openapi_python_client.parser.openapi import generate_operation_id
from openapi_python_client.schema.untrusted_string import UntrustedString

from scripts.regeneration.documents import Document
from scripts.regeneration.facts import EVENTS, Body, Operation, Parameter, Scheme, Webhook
from scripts.regeneration.identifiers import (
    ARGUMENTS,
    PREFIX,
    make_unique,
    name_all,
    to_class,
    to_constant,
    to_variable,
)
from scripts.regeneration.pointers import METHODS, find, join, refuse, resolve
from scripts.regeneration.schema_parts import SHAPES
from scripts.regeneration.schemas import ANY, DEFAULT, WIRE, Expression, Schemas

ENVIRONMENT = "x-payman-environment"
_RANKS = ("json", "form", "multipart", "text", "bytes")
"""Which kind of body is taken where a document offers several: the first of these."""
_USUAL = {"json": "application/json", "text": "text/plain"}
_EMPTY = ("204", "205", "304")
"""Statuses of answers that have no body, whatever a document says."""
_OWN_HEADERS = ("accept", "content-type", "authorization")
"""Headers that OpenAPI takes from elsewhere in a document."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # what the name of a header or a cookie is made of
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_JOINED = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


class Operations:
    """The operations and webhooks of a document."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self.document, self._schemas = document, schemas
        self.found: list[Operation] = []
        self.servers = self._find_servers()
        taken: set[str] = set()
        for path, item in _without_extensions(document.get("paths", {})):
            item, place = resolve(document, item, join("/paths", path))
            if "?" in path or "#" in path:
                refuse(f"The path {path:.60} has a query or a fragment", place)
            for method in METHODS:
                if method in item:
                    self.found.append(self._operation(path, method, item, place, taken))
        ids = Counter(each.id for each in self.found)
        for each in self.found:
            if ids[each.id] > 1:
                refuse(f"The operationId {each.id} comes twice", each.pointer)
        hooks = dict(_without_extensions(document.get("webhooks", {})))
        variables = name_all(hooks)
        self.webhooks = [
            self._webhook(name, variables[name], *resolve(document, item, join("/webhooks", name)))
            for name, item in hooks.items()
        ]
        schemas.finish()
        for operation in self.found:
            operation.page = self._find_page(operation)

    def _find_servers(self) -> dict[str, str]:
        """Give the base URL of each environment."""
        found: dict[str, str] = {}
        for number, server in enumerate(self.document.get("servers", [])):
            if "://" not in server["url"]:
                continue  # only whoever has fetched the document knows where that is
            said = str(server.get("description", ""))
            given = to_constant(said) if said else f"SERVER_{number + 1}"
            given = server.get(ENVIRONMENT) or (given if number else "LIVE")
            found[make_unique(given, found)] = _url(server, join("/servers", number))
        return found

    @property
    def token(self) -> Scheme | None:
        """How most operations send the access token; schemes that none uses do not count."""
        used = Counter(each.scheme for each in self.found if each.scheme and each.scheme.location != "basic")
        return used.most_common(1)[0][0] if used else None

    @property
    def authorization_server(self) -> str | None:
        """Where the page is that asks a person for consent: the server of the operation that is called so, or of an OAuth flow."""
        for each in self.found:
            if each.server and "authorize" in (to_variable(each.id), each.path.rpartition("/")[2]):
                return each.server
        for scheme in self.document.get("components", {}).get("securitySchemes", {}).values():
            for flow in scheme.get("flows", {}).values():
                if "authorizationUrl" in flow:
                    return "/".join(flow["authorizationUrl"].split("/")[:3])
        return None

    def _operation(self, path: str, method: str, item: dict[str, Any], at: str, taken: set[str]) -> Operation:
        given, place = item[method], join(at, method)
        if "callbacks" in given:
            refuse("Callbacks cannot be rendered", join(place, "callbacks"))
        own = given.get("operationId")
        made = own or generate_operation_id(path=UntrustedString(path), method=method, prefix=PREFIX)
        name = make_unique(to_variable(made), taken)
        taken.add(name)
        parameters = self._parameters(item, given, path, at, place, name)
        answers, events = self._answers(given, place, name)
        scheme, is_optional = self._scheme(given, place)
        servers = given.get("servers") or item.get("servers")
        return Operation(
            name,
            to_variable(next(iter(given.get("tags", [])), "default")),
            own or name,
            method.upper(),
            path,
            place,
            str(given.get("summary") or own or f"{method.upper()} {path}").rstrip("."),
            str(given.get("description") or ""),
            bool(given.get("deprecated")),
            parameters,
            self._body(given, place, name),
            answers,
            events,
            scheme,
            is_optional,
            self._server(servers[0], place) if servers else None,
        )

    def _webhook(self, name: str, variable: str, item: dict[str, Any], place: str) -> Webhook:
        method = next((each for each in METHODS if each in item), None)
        if method is None:
            refuse(f"The webhook {name} has no method", place)
        body = self._body(item[method], join(place, method), name, is_read=True)
        if body is None or body.kind != "json":
            refuse(f"The webhook {name} sends no JSON", join(place, method))
        return Webhook(name, variable, str(item[method].get("summary") or name), body)

    def _server(self, given: dict[str, Any], place: str) -> str:
        if "://" not in given["url"]:
            refuse(f"The server {given['url']:.60} of an operation has no host", place)
        return _url(given, place)

    # -- requests

    def _parameters(
        self, item: dict[str, Any], given: dict[str, Any], path: str, at: str, place: str, name: str
    ) -> list[Parameter]:
        found: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
        for holder, where in ((item, at), (given, place)):
            for number, each in enumerate(holder.get("parameters", [])):
                each, inner = find(self.document, each, join(where, "parameters", number), "in")
                if each["in"] != "header" or each["name"].lower() not in _OWN_HEADERS:
                    found[each["name"], each["in"]] = each, inner
        headers = Counter(wire.lower() for wire, kind in found if kind == "header")
        for (wire, kind), (_, inner) in found.items():
            if kind == "header" and headers[wire.lower()] > 1:
                refuse(f"The header {wire} comes twice, in two spellings", inner)
        places = Counter(wire for wire, _ in found)
        names = [f"{wire} \n{kind}" if places[wire] > 1 else wire for wire, kind in found]
        variables = name_all(names, ARGUMENTS)
        parameters = [
            self._parameter(variable, each, inner, name)
            for variable, (each, inner) in zip(variables.values(), found.values(), strict=True)
        ]
        wanted = set(re.findall(r"{([^{}]*)}", path))
        declared = {each.name for each in parameters if each.location == "path"}
        if wanted != declared:
            refuse(
                f"The path {path} and its parameters differ in {', '.join(sorted(wanted ^ declared))}", place
            )
        return parameters

    def _parameter(self, variable: str, given: dict[str, Any], place: str, name: str) -> Parameter:
        location, wire = given["in"], given["name"]
        style = given.get("style", _STYLES.get(location))
        schema, at = given.get("schema", {}), join(place, "schema")
        if location in ("header", "cookie") and not _TOKEN.fullmatch(wire):
            refuse(f"A {location} called {wire!r:.60}, which no {location} can be, cannot be rendered", place)
        if given.get("allowReserved"):
            refuse("allowReserved cannot be rendered", place)
        if "content" in given:
            (media, inner), *_ = given["content"].items()
            if _kind(media) != "json":
                refuse(f"A parameter as {media} cannot be rendered", place)
            schema, at, style = inner.get("schema", {}), join(place, "content", media, "schema"), "json"
        kind = self._schemas.express(schema, at, to_class(name) + to_class(wire), is_open=False)
        explode = given.get("explode", style == "form")
        choices = self._schemas.choices_of(kind)
        is_list = any(choice.get("type") == "array" for choice in choices)
        members = next(filter(None, map(self._schemas.members_of, choices)), None)
        is_object = members is not None
        known = ("form", "deepObject") if is_object else tuple(_JOINED) if is_list else ("form", "simple")
        if style != "json" and (
            style not in known
            or (is_object and location != "query")
            or (is_object and style == "form" and not explode)
            or (is_list and location == "cookie" and explode)
        ):
            refuse(
                f"The style {style} for {'an object' if is_object else 'a list' if is_list else 'this'} in the {location} cannot be rendered",
                place,
            )
        if style != "json" and not (
            len(choices) == 1 and all(map(self._schemas.is_plain, members.values()))
            if members is not None
            else self._schemas.is_list(kind)
        ):
            refuse(f"The parameter {wire}, with objects or lists among others, cannot be rendered", place)
        shown = style if style in ("json", "deepObject") else "explode" if is_object else ""
        if is_list and style != "json" and not (explode and location == "query"):
            shown = _JOINED[style]
        made = self._schemas.member(wire, schema, at, kind)
        is_required = bool(given.get("required")) or location == "path"
        if is_required and "const" in kind:
            made.setdefault(DEFAULT, repr(kind["const"]))
        if location == "path":  # given by position, where none has a default before one that has none
            made.pop(DEFAULT, None)
        return Parameter(variable, location, shown, is_required, made, (schema, at))

    def _body(self, given: dict[str, Any], place: str, name: str, is_read: bool = False) -> Body | None:
        if "requestBody" not in given:
            return None
        body, at = find(self.document, given["requestBody"], join(place, "requestBody"), "content")
        found = self._chosen(body.get("content", {}), join(at, "content"), f"{to_class(name)}Body")
        if found is None:
            refuse("A request body without a media type cannot be rendered", at)
        media, (source, where) = found.media, found.source
        if "*" in media and not is_read:
            media = _USUAL.get(found.kind, "application/octet-stream")
            if found.media not in ("*/*", f"{media.partition('/')[0]}/*"):
                refuse(f"A request as {found.media} cannot be rendered", where)
        if found.kind in ("form", "multipart"):
            self._check_members(found, join(where, "schema"))
        encoding = self._encoding(found, source.get("encoding", {}), join(where, "encoding"))
        is_required = is_read or bool(body.get("required"))
        return replace(found, media=media, is_required=is_required, encoding=encoding)

    def _check_members(self, body: Body, place: str) -> None:
        """Refuse what a form has no place for: anything but an object, and objects or lists inside others."""
        for choice in self._schemas.choices_of(body.expression):
            members = self._schemas.members_of(choice)
            if members is None:
                refuse(f"A body as {body.media} that is not an object cannot be rendered", place)
            for wire, member in members.items():
                for each in self._schemas.choices_of(member):
                    inner = each["items"] if each.get("type") == "array" else each
                    is_fit = self._schemas.is_plain(inner) or (
                        body.kind == "multipart"
                        and all(it.get("type") != "array" for it in self._schemas.choices_of(inner))
                    )
                    if not is_fit:
                        refuse(
                            f"{wire} in a body as {body.media}, an object or list, cannot be rendered", place
                        )

    def _encoding(self, body: Body, given: dict[str, Any], place: str) -> dict[str, str]:
        """Give the media types of parts that are not of the usual one."""
        found: dict[str, str] = {}
        members = self._schemas.members_of(body.expression) or {}
        for wire, how in given.items():
            media = str(how.get("contentType", ""))
            kinds = [each.get("items", each) for each in self._schemas.choices_of(members.get(wire, ANY))]
            is_file = all(each.get("format") == "binary" for each in kinds)
            is_plain = all(map(self._schemas.is_plain, kinds))
            is_json = _kind(media) == "json"
            if (
                {*how} - {"contentType"}
                or body.kind != "multipart"
                or wire not in members
                or not (is_file or is_json != is_plain)
                or (not is_file and ("*" in media or "," in media))
            ):
                refuse(f"The encoding of {wire} cannot be rendered", join(place, wire))
            if media and "*" not in media and "," not in media:
                found[wire] = media
        return found

    # -- answers

    def _answers(
        self, given: dict[str, Any], place: str, name: str
    ) -> tuple[dict[str, Body | None], list[Body]]:
        answers: dict[str, Body | None] = {}
        events: list[Body] = []
        listed = dict(_without_extensions(given.get("responses", {})))
        for status, answer in listed.items():
            answer, at = find(self.document, answer, join(place, "responses", status), "description")
            content, inside = dict(answer.get("content", {})), join(at, "content")
            is_success = status[0] == "2" or (status == "default" and not any(it[0] == "2" for it in listed))
            for media in [media for media in content if _essence(media) == EVENTS]:
                inner, where = content.pop(media), join(inside, media)
                if not is_success:
                    refuse("An event stream with a status of failure cannot be rendered", where)
                hint = f"{to_class(name)}Event"
                found = self._schemas.express(inner.get("schema", {}), join(where, "schema"), hint)
                self._check_event(found, where)
                events.append(Body(EVENTS, "event", found, (inner, where)))
            if place.endswith("/head") or status in _EMPTY:
                content = {}
            hint = f"{to_class(name)}Response{to_class(status).removeprefix('Field')}"
            answer = self._chosen(content, inside, hint)
            if answer and answer.kind in ("form", "multipart"):
                refuse(f"An answer as {answer.media} cannot be rendered", answer.source[1])
            answers[status if status == "default" else status.upper()] = answer
        return answers, events

    def _check_event(self, event: Expression, place: str) -> None:
        """Refuse events whose data may be something else than one object of JSON."""
        for choice in self._schemas.choices_of(event):
            members = self._schemas.members_of(choice)
            if members is None or ("data" in members and {*members} <= {"", "event", "data", "id", "retry"}):
                refuse(
                    "An event stream of anything but objects, the data of events, cannot be rendered", place
                )

    def _chosen(self, content: dict[str, Any], place: str, name: str) -> Body | None:
        """Choose the media type of a body, by `_RANKS` and then by their order."""
        kinds = {
            media: _kind(media) or self._raw_kind(media, inner, join(place, media))
            for media, inner in content.items()
        }
        media = min(
            (it for it in kinds if kinds[it]), key=lambda it: _RANKS.index(str(kinds[it])), default=None
        )
        if media is None:
            for unknown in content:
                refuse(f"A body as {unknown} cannot be rendered", join(place, unknown))
            return None
        kind, at = str(kinds[media]), join(place, media)
        found = self._body_type(content[media], kind, at, name)
        return Body(media, kind, found, (content[media], at), has_others=len(content) > 1)

    def _raw_kind(self, media: str, given: dict[str, Any], place: str) -> str | None:
        """Give the kind of a body that its media type does not give: bytes, if its schema says so, or nothing else."""
        schema, _ = resolve(self.document, given.get("schema", {}), join(place, "schema"))
        is_text = isinstance(schema, dict) and schema.get("type") == "string"
        if media in ("*/*", "application/*"):
            if is_text and schema.get("format") != "binary":
                refuse(f"A text as {media}, which may be JSON or not, cannot be rendered", place)
            return "bytes" if is_text else "json"
        return "bytes" if is_text or schema is True or not {*schema} & SHAPES else None

    def _body_type(self, given: dict[str, Any], kind: str, place: str, name: str) -> Expression:
        for key in ("itemSchema", "itemEncoding", "prefixEncoding"):
            if key in given:
                refuse(f"{key} cannot be rendered", place)
        if kind in ("text", "bytes"):
            return {"type": "string", **({} if kind == "text" else {"format": "binary"})}
        if "schema" not in given:
            return ANY
        found = self._schemas.express(given["schema"], join(place, "schema"), name)
        if kind in ("form", "multipart") and found == ANY:
            return self._schemas.map_of(ANY)
        return found

    def _find_page(self, operation: Operation) -> tuple[str, str] | None:
        """Return how pages lead to each other: a text in the query, and a member of the answer that is called `next` and the same."""
        answers = [operation.answers[status] for status in operation.successes]
        if operation.method != "GET" or operation.events or len(answers) != 1 or answers[0] is None:
            return None
        found = self._schemas.classes.get(str(answers[0].expression.get("$ref")).rpartition("/")[2])
        members = {} if found is None else found.schema.get("properties", {})
        for parameter in operation.within("query"):
            wanted = f"next{_plain(parameter.name)}"
            for variable, member in members.items():
                if wanted == _plain(member[WIRE]) and _is_text(member) and _is_text(parameter.schema):
                    return parameter.variable, variable
        return None

    # -- credentials

    def _scheme(self, given: dict[str, Any], place: str) -> tuple[Scheme | None, bool]:
        """Choose how an operation is authenticated: the first way that a client can go; and whether it may be left out."""
        wanted: list[dict[str, Any]] = given.get("security", self.document.get("security")) or []
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        refused = ""
        for alternative in wanted:
            if len(alternative) > 1:
                refused = f"Several credentials at once ({', '.join(alternative)})"
                continue
            for name in alternative:
                if name not in schemes:
                    refuse(f"The security scheme {name} is not in components.securitySchemes", place)
                scheme, _ = find(
                    self.document, schemes[name], join("/components/securitySchemes", name), "type"
                )
                found = _scheme(scheme)
                if found is not None:
                    return found, {} in wanted
                refused = f"The security scheme {name}"
        if refused and {} not in wanted:
            refuse(f"{refused} cannot be rendered", place)
        return None, True


def _scheme(given: dict[str, Any]) -> Scheme | None:
    kind, how = given.get("type"), str(given.get("scheme", "")).lower()
    if kind == "apiKey" and (given["in"] == "query" or _TOKEN.fullmatch(given["name"])):
        return Scheme(given["in"], given["name"])
    if kind in ("oauth2", "openIdConnect") or (kind == "http" and how == "bearer"):
        return Scheme("header", "Authorization", "Bearer ")
    return Scheme("basic") if kind == "http" and how == "basic" else None


def _without_extensions(given: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in given.items() if not name.startswith("x-"))


def _essence(media: str) -> str:
    """Give a media type without its parameters."""
    return media.partition(";")[0].strip().lower()


def _kind(media: str) -> str | None:
    """Give the kind of body that a media type is; None where that is for its schema to say."""
    media = _essence(media)
    if media in ("application/json", "text/json") or media.endswith("+json"):
        return "json"
    if media == "application/x-www-form-urlencoded":
        return "form"
    if media == "multipart/form-data":
        return "multipart"
    return "text" if media.startswith("text/") and media != "text/xml" else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _is_text(schema: Expression) -> bool:
    """Whether something is a text, or null."""
    kinds = [choice.get("type") for choice in schema.get("anyOf", [schema]) if "format" not in choice]
    return "string" in kinds and set(kinds) <= {"string", "null"}


def _url(server: dict[str, Any], place: str) -> str:
    """Give a server's address, its variables at their defaults."""
    url = str(server["url"])
    for name, variable in server.get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable["default"]))
    if re.search(r"[{?#\s]|//[^/]*@", url):  # of which a user or a query may be a secret
        refuse("The server has a variable that is not defined, a user, a query or a space", place)
    return url
