"""How two API documents differ outside of their operations and schemas: servers, credentials, webhooks, what they say of themselves.

oasdiff leaves servers alone and rates every change of a security scheme as harmless; here clients are generated from both. A server
that is gone or replaced is breaking, and so is a scheme in use that is gone or works in another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scripts.comparison.changes import ADDITIVE, BREAKING, COSMETIC, Change
from scripts.comparison.contract import Contract, Node, mapping, sequence
from scripts.comparison.operations import compare_security
from scripts.comparison.places import Pair, Place, code, differ, value, word_findings

_ENVIRONMENT = "x-payman-environment"
_COMPARED = ("info", "servers", "security", "tags", "paths", "components", "webhooks", "openapi")


def _about(where: str, said: str, **given: Any) -> Place:
    """Give a place outside of operations and schemas."""
    return Place("document", where, "document", said, **given)


def compare_documents(pair: Pair) -> Iterator[Change]:
    """Tell what differs of the documents as wholes."""
    place = _about("document", "the document")
    old, new = pair.old.document, pair.new.document
    before, after = mapping(old.get("info")), mapping(new.get("info"))
    for kept, key, was, now in (
        ("the version of the API", "version", before.get("version"), after.get("version")),
        ("the version of OpenAPI", "openapi", old.get("openapi"), new.get("openapi")),
    ):
        if was != now:
            here = _about(f"document, {key}", kept)
            yield here.change("changed", f"is {value(now)} now, was {value(was)}", request=COSMETIC)
    yield from word_findings(place, before, after, ("version",))
    yield from word_findings(place, old, new, [key for key in _COMPARED if key != "tags"])
    yield from _compare_servers(sequence(old.get("servers")), sequence(new.get("servers")))
    inheriting = [
        {it.name for it in contract.operations if it.security is None} for contract in (pair.old, pair.new)
    ]
    shared = tuple(sorted(inheriting[0] & inheriting[1]))
    secured = _about("document, security", "any operation without its own security", operations=shared)
    if secured.operations:
        yield from compare_security(secured, sequence(old.get("security")), sequence(new.get("security")))
    yield from _compare_schemes(pair)
    yield from _compare_webhooks(mapping(old.get("webhooks")), mapping(new.get("webhooks")))


def _compare_servers(old: list[object], new: list[object]) -> Iterator[Change]:
    before, after = ({str(mapping(it).get("url", "/")): mapping(it) for it in each} for each in (old, new))
    gone = {_environment(server, url): url for url, server in before.items() if url not in after}
    for url in after:
        here = _server_place(url)
        environment = _environment(after[url], url)
        if url not in before and environment in gone:
            says = f"took the place of {code(gone.pop(environment))}"
            yield here.change("changed", says)
        elif url not in before:
            yield here.came_or_went(True)
        else:
            yield from _compare_server(here, before[url], after[url])
    for url in gone.values():
        yield _server_place(url).came_or_went(False)
    first, other = next(iter(before), None), next(iter(after), None)
    if first in after and first != other:
        yield _server_place(str(other)).change(
            "changed", f"is the default now, was {code(first)}", request=BREAKING
        )


def _server_place(url: str) -> Place:
    return _about(f"server {url}", f"the server {code(url)}")


def _environment(server: Node, url: str) -> str:
    return str(server.get(_ENVIRONMENT) or url)


def _compare_server(here: Place, old: Node, new: Node) -> Iterator[Change]:
    if old.get(_ENVIRONMENT) != new.get(_ENVIRONMENT):
        says = f"is for {value(new.get(_ENVIRONMENT))} now, was for {value(old.get(_ENVIRONMENT))}"
        yield here.change("changed", says)
    if differ(old.get("variables"), new.get("variables")):
        yield here.change("changed", "has other variables")
    yield from word_findings(here, old, new, ("url", "variables", _ENVIRONMENT))


def _compare_schemes(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.components("securitySchemes"), pair.new.components("securitySchemes")
    used = _schemes_in_use(pair.old)
    for name in sorted({*old, *new}):
        here = _about(
            f"security scheme {name}",
            f"the security scheme {code(name)}",
            names=frozenset({name}),
            operations=tuple(sorted(used.get(name, ()))),
        )
        if name not in old or name not in new:
            yield here.came_or_went(name in new, gone=BREAKING if name in used else COSMETIC)
        else:
            before, after = pair.old.resolve(old[name]), pair.new.resolve(new[name])
            keys = [
                key for key in sorted({*before, *after}) if key != "description" and not key.startswith("x-")
            ]
            for key in keys:
                if differ(before.get(key), after.get(key)):
                    level = BREAKING if not _only_more(before.get(key), after.get(key)) else ADDITIVE
                    yield here.change("changed", _scheme_change(key, before, after), request=level)
            yield from word_findings(here, before, after, keys)


def _scheme_change(key: str, old: Node, new: Node) -> str:
    if isinstance(new.get(key), str) and isinstance(old.get(key), str):
        return f"has the {code(key)} {value(new[key])} now, had {value(old[key])}"
    return f"has another {code(key)}"


def _only_more(old: object, new: object) -> bool:
    """Say whether everything is still there as it was: flows and scopes may come."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and _only_more(old[key], new[key]) for key in old)
    return not differ(old, new)


def _schemes_in_use(contract: Contract) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for operation in contract.operations:
        ways = operation.security
        for way in sequence(contract.document.get("security")) if ways is None else ways:
            for name in mapping(way):
                used.setdefault(name, set()).add(operation.name)
    return used


def _compare_webhooks(old: Node, new: Node) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        here = _about(f"webhook {name}", f"the webhook {code(name)}", names=frozenset({name}))
        if name not in old or name not in new:
            yield here.came_or_went(name in new)
        elif differ(old[name], new[name]):
            yield here.change("changed", "changed")
