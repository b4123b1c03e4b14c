"""The operations and webhooks of a document: what is sent, what comes back, with which credentials, to which server."""

import re
from collections import Counter
from typing import Any

from openapi_python_client.parser.openapi import generate_operation_id
from openapi_python_client.schema.untrusted_string import UntrustedString

from scripts.regeneration import identifiers
from scripts.regeneration.bodies import Bodies, classify_media
from scripts.regeneration.documents import Document
from scripts.regeneration.expressions import DEFAULT, WIRE, Expression, choices_of, make_member
from scripts.regeneration.facts import Operation, Parameter, Scheme, Webhook
from scripts.regeneration.identifiers import ARGUMENTS, PREFIX, plain
from scripts.regeneration.pointers import METHODS, Node, refuse
from scripts.regeneration.schemas import Schemas

ENVIRONMENT = "x-payman-environment"
_OWN_HEADERS = ("accept", "content-type", "authorization")
"""Headers that OpenAPI takes from elsewhere in a document."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # what the name of a header or a cookie is made of
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_JOINED = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


class Operations:
    """The operations and webhooks of a document, and the schemas that they refer to."""

    def __init__(self, document: Document) -> None:
        self.document, self.schemas = document, Schemas(document)
        self._bodies = Bodies(self.schemas)
        root = Node(document, document)
        self._schemes = root.get("components", {}).get("securitySchemes", {})
        self.found: list[Operation] = []
        self.servers = self._find_servers()
        taken: set[str] = set()
        for path, given in root.get("paths", {}).members().items():
            item = given.resolve()
            if "?" in path or "#" in path:
                item.refuse(f"The path {path:.60} has a query or a fragment")
            self.found += [self._operation(path, it, item, taken) for it in METHODS if it in item]
        ids = Counter(each.id for each in self.found)
        for each in self.found:
            if ids[each.id] > 1:
                refuse(f"The operationId {each.id} comes twice", each.pointer)
        hooks = root.get("webhooks", {}).members()
        variables = identifiers.name_all(hooks)
        self.webhooks = [self._webhook(name, variables[name], item.resolve()) for name, item in hooks.items()]
        self.schemas.finish()

    def _find_servers(self) -> dict[str, str]:
        """Return the base URL of each environment."""
        found: dict[str, str] = {}
        for number, server in enumerate(self.document.get("servers", [])):
            if "://" not in server["url"]:
                continue  # only whoever has fetched the document knows where that is
            usual = identifiers.to_constant(server.get("description") or f"SERVER_{number + 1}")
            name = server.get(ENVIRONMENT) or (usual if number else "LIVE")
            found[identifiers.make_unique(name, found)] = _url(server, f"/servers/{number}")
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
            names = (identifiers.to_variable(each.id), each.path.rpartition("/")[2])
            if each.server and "authorize" in names:
                return each.server
        flows = (flow for scheme in self._schemes.value.values() for flow in scheme.get("flows", {}).values())
        urls = (flow["authorizationUrl"] for flow in flows if "authorizationUrl" in flow)
        return next(("/".join(url.split("/")[:3]) for url in urls), None)

    def _operation(self, path: str, method: str, item: Node, taken: set[str]) -> Operation:
        node, given = item[method], item[method].value
        if "callbacks" in node:
            node["callbacks"].refuse("Callbacks cannot be rendered")
        own = given.get("operationId")
        made = own or generate_operation_id(path=UntrustedString(path), method=method, prefix=PREFIX)
        name = identifiers.make_unique(identifiers.to_variable(made), taken)
        taken.add(name)
        parameters = self._parameters(item, node, path, name)
        answers, events = self._bodies.read_answers(node, name)
        scheme, is_optional = self._scheme(node)
        body = self._bodies.read(node, name)
        servers = given.get("servers") or item.value.get("servers")
        if servers and "://" not in servers[0]["url"]:
            node.refuse(f"The server {servers[0]['url']:.60} of an operation has no host")
        server = _url(servers[0], node.place) if servers else None
        tag = identifiers.to_variable(next(iter(given.get("tags", [])), "default"))
        called = name, tag, own or name, method.upper(), path, node.place
        summary = str(given.get("summary") or own or f"{method.upper()} {path}").rstrip(".")
        about = summary, str(given.get("description") or ""), bool(given.get("deprecated"))
        return Operation(*called, *about, parameters, body, answers, events, scheme, is_optional, server)

    def _webhook(self, name: str, variable: str, item: Node) -> Webhook:
        method = next((each for each in METHODS if each in item), None)
        if method is None:
            item.refuse(f"The webhook {name} has no method")
        body = self._bodies.read(item[method], name, is_read=True)
        if body is None or body.kind != "json":
            item[method].refuse(f"The webhook {name} sends no JSON")
        return Webhook(name, variable, body)

    def _parameters(self, item: Node, given: Node, path: str, name: str) -> list[Parameter]:
        found: dict[tuple[str, str], Node] = {}
        for each in (*item.get("parameters", ()), *given.get("parameters", ())):
            parameter = each.find("in")
            wire, kind = parameter.value["name"], parameter.value["in"]
            if kind != "header" or wire.lower() not in _OWN_HEADERS:
                found[wire, kind] = parameter
        headers = Counter(wire.lower() for wire, kind in found if kind == "header")
        for (wire, kind), parameter in found.items():
            if kind == "header" and headers[wire.lower()] > 1:
                parameter.refuse(f"The header {wire} comes twice, in two spellings")
        places = Counter(wire for wire, _ in found)
        names = [f"{wire} \n{kind}" if places[wire] > 1 else wire for wire, kind in found]
        both = zip(identifiers.name_all(names, ARGUMENTS).values(), found.values(), strict=True)
        parameters = [self._parameter(variable, parameter, name) for variable, parameter in both]
        declared = {each.name for each in parameters if each.location == "path"}
        if differing := declared.symmetric_difference(re.findall(r"{([^{}]*)}", path)):
            given.refuse(f"The path {path} and its parameters differ in {', '.join(sorted(differing))}")
        return parameters

    def _parameter(self, variable: str, node: Node, name: str) -> Parameter:
        given, schema = node.value, node.get("schema", {})
        location, wire = given["in"], given["name"]
        style = given.get("style", _STYLES.get(location))
        if location in ("header", "cookie") and not _TOKEN.fullmatch(wire):
            node.refuse(f"A {location} called {wire!r:.60}, which no {location} can be, cannot be rendered")
        if given.get("allowReserved"):
            node.refuse("allowReserved cannot be rendered")
        if "content" in node:
            media = next(iter(given["content"]))
            if classify_media(media) != "json":
                node.refuse(f"A parameter as {media} cannot be rendered")
            schema, style = node["content"][media].get("schema", {}), "json"
        class_name = identifiers.to_class(name) + identifiers.to_class(wire)
        kind = self.schemas.express(schema, class_name, is_open=False)
        explode = given.get("explode", style == "form")
        choices = choices_of(kind)
        is_list = any(choice.get("type") == "array" for choice in choices)
        members = next(filter(None, map(self.schemas.members_of, choices)), None)
        is_object = members is not None
        known = ("form", "deepObject") if is_object else tuple(_JOINED) if is_list else ("form", "simple")
        is_unfit = is_object and (location != "query" or (style == "form" and not explode))
        is_unfit |= is_list and location == "cookie" and explode
        if style != "json" and (style not in known or is_unfit):
            what = "an object" if is_object else "a list" if is_list else "this"
            node.refuse(f"The style {style} for {what} in the {location} cannot be rendered")
        is_flat = self.schemas.is_list(kind)
        if members is not None:
            is_flat = len(choices) == 1 and all(map(self.schemas.is_plain, members.values()))
        if style != "json" and not is_flat:
            node.refuse(f"The parameter {wire}, with objects or lists among others, cannot be rendered")
        shown = style if style in ("json", "deepObject") else "explode" if is_object else ""
        if is_list and style != "json" and not (explode and location == "query"):
            shown = _JOINED[style]
        is_required = bool(given.get("required")) or location == "path"
        made = make_member(wire, schema, kind, is_required=is_required)
        if location == "path":  # given by position, where none has a default before one that has none
            made.pop(DEFAULT, None)
        return Parameter(variable, location, shown, is_required, made, schema)

    def find_page(self, operation: Operation) -> tuple[str, str] | None:
        """Return how pages lead to each other: a text in the query, and a member of the answer that is called `next` and the same."""
        answers = [operation.answers[status] for status in operation.successes]
        if operation.method != "GET" or operation.events or len(answers) != 1 or answers[0] is None:
            return None
        found = self.schemas.classes.get(str(answers[0].expression.get("$ref")).rpartition("/")[2])
        members = {} if found is None else found.schema.get("properties", {})
        for parameter in operation.within("query"):
            wanted = f"next{plain(parameter.name)}"
            for variable, member in members.items():
                if wanted == plain(member[WIRE]) and _is_text(member) and _is_text(parameter.schema):
                    return parameter.variable, variable
        return None

    def _scheme(self, given: Node) -> tuple[Scheme | None, bool]:
        """Choose how an operation is authenticated: the first way that a client can go; and whether it may be left out."""
        wanted: list[dict[str, Any]] = given.value.get("security", self.document.get("security")) or []
        refused = ""
        for alternative in wanted:
            if len(alternative) > 1:
                refused = f"Several credentials at once ({', '.join(alternative)})"
                continue
            for name in alternative:
                if name not in self._schemes:
                    given.refuse(f"The security scheme {name} is not in components.securitySchemes")
                found = _scheme(self._schemes[name].find("type").value)
                if found is not None:
                    return found, {} in wanted
                refused = f"The security scheme {name}"
        if refused and {} not in wanted:
            given.refuse(f"{refused} cannot be rendered")
        return None, True


def _scheme(given: dict[str, Any]) -> Scheme | None:
    kind, how = given.get("type"), str(given.get("scheme", "")).lower()
    if kind == "apiKey" and (given["in"] == "query" or _TOKEN.fullmatch(given["name"])):
        return Scheme(given["in"], given["name"])
    if kind in ("oauth2", "openIdConnect") or (kind == "http" and how == "bearer"):
        return Scheme("header", "Authorization", "Bearer ")
    return Scheme("basic") if kind == "http" and how == "basic" else None


def _is_text(schema: Expression) -> bool:
    """Whether something is a text, or null."""
    kinds = [choice.get("type") for choice in schema.get("anyOf", [schema]) if "format" not in choice]
    return "string" in kinds and set(kinds) <= {"string", "null"}


def _url(server: dict[str, Any], place: str) -> str:
    """Return a server's address, its variables at their defaults."""
    url = str(server["url"])
    for name, variable in server.get("variables", {}).items():
        url = url.replace(f"{{{name}}}", str(variable["default"]))
    if re.search(r"[{?#\s]|//[^/]*@", url):  # of which a user or a query may be a secret
        refuse("The server has a variable that is not defined, a user, a query or a space", place)
    if not url.lower().startswith(("http://", "https://")):
        refuse(f"The server {url:.60} is reached by another protocol than http", place)
    return url
