"""The operations and webhooks of a document: what is sent, what comes back, with which credentials, to which server."""

from __future__ import annotations

import re
from collections import Counter
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
from scripts.regeneration.pointers import join, refuse, resolve
from scripts.regeneration.schema_parts import SHAPES, kinds_of
from scripts.regeneration.schemas import ANY, DEFAULT, WIRE, Expression, Schemas

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
ENVIRONMENT = "x-payman-environment"
_RANKS = ("json", "form", "multipart", "text", "bytes")
"""Which kind of body is taken where a document offers several: the first of these."""
_OWN_HEADERS = ("accept", "content-type", "authorization")
"""Headers that OpenAPI takes from elsewhere in a document."""
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_JOINED = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


class Operations:
    """The operations and webhooks of a document."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self.document, self._schemas = document, schemas
        self.found: list[Operation] = []
        taken: set[str] = set()
        for path, item in document.get("paths", {}).items():
            item, place = resolve(document, item, join("/paths", path))
            for method in METHODS:
                if method in item:
                    self.found.append(self._operation(path, method, item, place, taken))
        hooks = document.get("webhooks", {})
        variables = name_all(hooks)
        self.webhooks = [
            self._webhook(name, variables[name], *resolve(document, item, join("/webhooks", name)))
            for name, item in hooks.items()
        ]
        schemas.finish()
        for operation in self.found:
            operation.page = self._find_page(operation)

    @property
    def servers(self) -> dict[str, str]:
        """The base URL of each environment."""
        found: dict[str, str] = {}
        for number, server in enumerate(self.document.get("servers", [])):
            said = str(server.get("description", ""))
            given = to_constant(said) if said else f"SERVER_{number + 1}"
            given = server.get(ENVIRONMENT) or (given if number else "LIVE")
            found[make_unique(given, found)] = _url(server)
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
            _url(servers[0]) if servers else None,
        )

    def _webhook(self, name: str, variable: str, item: dict[str, Any], place: str) -> Webhook:
        method = next((each for each in METHODS if each in item), None)
        if method is None:
            refuse(f"The webhook {name} has no method", place)
        body = self._body(item[method], join(place, method), name, is_read=True)
        if body is None or body.kind != "json":
            refuse(f"The webhook {name} sends no JSON", join(place, method))
        return Webhook(name, variable, str(item[method].get("summary") or name), body)

    # -- requests

    def _parameters(
        self, item: dict[str, Any], given: dict[str, Any], path: str, at: str, place: str, name: str
    ) -> list[Parameter]:
        found: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
        for holder, where in ((item, at), (given, place)):
            for number, each in enumerate(holder.get("parameters", [])):
                each, inner = resolve(self.document, each, join(where, "parameters", number))
                if each["in"] != "header" or each["name"].lower() not in _OWN_HEADERS:
                    found[each["name"], each["in"]] = each, inner
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
        if location not in _STYLES:
            refuse(f"Parameters in {location!r} cannot be rendered", place)
        if given.get("allowReserved"):
            refuse("allowReserved cannot be rendered", place)
        if "content" in given:
            (media, inner), *_ = given["content"].items()
            if _kind(media) != "json":
                refuse(f"A parameter as {media} cannot be rendered", place)
            schema, at, style = inner.get("schema", {}), join(place, "content", media, "schema"), "json"
        kind = self._schemas.express(schema, at, to_class(name) + to_class(wire), is_open=False)
        explode = given.get("explode", style == "form")
        is_list = any(choice.get("type") == "array" for choice in kind.get("anyOf", [kind]))
        is_object = self._is_object(schema, at)
        known = ("form", "deepObject") if is_object else tuple(_JOINED) if is_list else ("form", "simple")
        if style != "json" and (
            style not in known
            or (is_object and location != "query")
            or (is_object and style == "form" and not explode)
        ):
            refuse(
                f"The style {style} for {'an object' if is_object else 'a list' if is_list else 'this'} in the {location} cannot be rendered",
                place,
            )
        shown = style if style in ("json", "deepObject") else "explode" if is_object else ""
        if is_list and style != "json" and not (explode and location == "query"):
            shown = _JOINED[style]
        made = self._schemas.member(wire, schema, at, kind)
        is_required = bool(given.get("required")) or location == "path"
        if is_required and "const" in kind:
            made.setdefault(DEFAULT, repr(kind["const"]))
        return Parameter(variable, location, shown, is_required, made, (schema, at))

    def _is_object(self, schema: Any, place: str) -> bool:
        found, _ = resolve(self.document, schema, place)
        return isinstance(found, dict) and "object" in kinds_of(found)

    def _body(self, given: dict[str, Any], place: str, name: str, is_read: bool = False) -> Body | None:
        if "requestBody" not in given:
            return None
        body, at = resolve(self.document, given["requestBody"], join(place, "requestBody"))
        found = self._chosen(body.get("content", {}), join(at, "content"), f"{to_class(name)}Body")
        return found and replace(found, is_required=is_read or bool(body.get("required")))

    # -- answers

    def _answers(
        self, given: dict[str, Any], place: str, name: str
    ) -> tuple[dict[str, Body | None], list[Body]]:
        answers: dict[str, Body | None] = {}
        events: list[Body] = []
        for status, answer in given.get("responses", {}).items():
            answer, at = resolve(self.document, answer, join(place, "responses", status))
            content, inside = answer.get("content", {}), join(at, "content")
            if EVENTS in content and status[0] == "2":
                media, where = content[EVENTS], join(inside, EVENTS)
                found = self._schemas.express(
                    media.get("schema", {}), join(where, "schema"), f"{to_class(name)}Event"
                )
                events.append(Body(EVENTS, "event", found, (media, where)))
                content = {media: inner for media, inner in content.items() if media != EVENTS}
            hint = f"{to_class(name)}Response{to_class(status).removeprefix('Field')}"
            answers[status if status == "default" else status.upper()] = self._chosen(content, inside, hint)
        return answers, events

    def _chosen(self, content: dict[str, Any], place: str, name: str) -> Body | None:
        """Choose the media type of a body, by `_RANKS` and then by their order."""
        kinds = {
            media: _kind(media) or self._raw_kind(content[media], join(place, media)) for media in content
        }
        media = min(
            (it for it in kinds if kinds[it]), key=lambda it: _RANKS.index(str(kinds[it])), default=None
        )
        if media is None:
            for unknown in content:
                refuse(f"A body as {unknown} cannot be rendered", join(place, unknown))
            return None
        kind, at = str(kinds[media]), join(place, media)
        return Body(media, kind, self._body_type(content[media], kind, at, name), (content[media], at))

    def _raw_kind(self, given: dict[str, Any], place: str) -> str | None:
        """Give the kind of a body that is neither JSON nor a form nor text: bytes, if its schema says nothing else."""
        schema, _ = resolve(self.document, given.get("schema", {}), join(place, "schema"))
        is_raw = isinstance(schema, dict) and (
            schema.get("type") == "string" or not any(key in schema for key in SHAPES)
        )
        return "bytes" if is_raw else None

    def _body_type(self, given: dict[str, Any], kind: str, place: str, name: str) -> Expression:
        for key in ("itemSchema", "itemEncoding", "prefixEncoding"):
            if key in given:
                refuse(f"{key} cannot be rendered", place)
        for wire, how in given.get("encoding", {}).items():
            if {*how} - {"contentType"}:
                refuse(f"The encoding of {wire} cannot be rendered", join(place, "encoding", wire))
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
        wanted: list[dict[str, Any]] = given.get("security") or []
        if "security" not in given:
            wanted = self.document.get("security") or []
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        refused = ""
        for alternative in wanted:
            if len(alternative) > 1:
                refused = f"Several credentials at once ({', '.join(alternative)})"
                continue
            for name in alternative:
                if name not in schemes:
                    refuse(f"The security scheme {name} is not in components.securitySchemes", place)
                scheme, _ = resolve(self.document, schemes[name], join("/components/securitySchemes", name))
                found = _scheme(scheme)
                if found is not None:
                    return found, {} in wanted
                refused = f"The security scheme {name}"
        if refused and {} not in wanted:
            refuse(f"{refused} cannot be rendered", place)
        return None, True


def _scheme(given: dict[str, Any]) -> Scheme | None:
    kind, how = given.get("type"), str(given.get("scheme", "")).lower()
    if kind == "apiKey":
        return Scheme(given["in"], given["name"])
    if kind in ("oauth2", "openIdConnect") or (kind == "http" and how == "bearer"):
        return Scheme("header", "Authorization", "Bearer ")
    return Scheme("basic") if kind == "http" and how == "basic" else None


def _kind(media: str) -> str | None:
    """Give the kind of body that a media type is; None where that is for its schema to say."""
    media = media.partition(";")[0].strip().lower()
    if media in ("application/json", "text/json", "*/*") or media.endswith("+json"):
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


def _url(server: dict[str, Any]) -> str:
    """Give a server's address, its variables at their defaults."""
    url = str(server["url"])
    for name, variable in server.get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable["default"]))
    return url
