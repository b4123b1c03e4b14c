"""Marks that only this project makes: how something is known, and which environment a server is.

A document from outside cannot have them; overlays add them.
"""

from __future__ import annotations

from scripts.regeneration.documents import Document, dump
from scripts.regeneration.problems import RegenerationError

EVIDENCE = "x-payman-evidence"
KINDS = ("documented", "protocol")
ENVIRONMENT = "x-payman-environment"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def check_marks(document: Document) -> None:
    """Check that every operation says how it is known, and every server which environment it is.

    Raises:
        RegenerationError: Some do not; the message names them, and is the overlay to write.
    """
    operations = [
        (path, method)
        for path, item in document.get("paths", {}).items()
        for method in METHODS
        if method in item and item[method].get(EVIDENCE) not in KINDS
    ]
    servers = [
        number for number, server in enumerate(document.get("servers", [])) if not server.get(ENVIRONMENT)
    ]
    if not operations and not servers:
        return
    actions = [
        {"target": f"$.paths[{_quoted(path)}].{method}", "update": {EVIDENCE: "documented"}}
        for path, method in operations
    ] + [{"target": f"$.servers[{number}]", "update": {ENVIRONMENT: "LIVE"}} for number in servers]
    overlay = {
        "overlay": "1.0.0",
        "info": {
            "title": "How each operation is known, and which environment a server is",
            "version": "1.0.0",
        },
        "actions": actions,
    }
    missing = [
        f"{method.upper()} {path} does not say how it is known ({EVIDENCE})." for path, method in operations
    ]
    missing += [
        f"{document['servers'][number]['url']} does not say which environment it is ({ENVIRONMENT})."
        for number in servers
    ]
    raise RegenerationError(
        "\n".join(missing)
        + f"\nWrite spec/overlays/marks.yaml, and look at every value ({EVIDENCE} is {' or '.join(KINDS)}):\n\n"
        + dump(overlay).decode()
    )


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
