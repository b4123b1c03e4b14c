"""From a document to the package: the templates in spec/templates/, formatted by the rules in spec/."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError

from scripts.regeneration.documents import Document
from scripts.regeneration.operations import Operations
from scripts.regeneration.packages import PRIMARY
from scripts.regeneration.problems import RegenerationError
from scripts.regeneration.python_operations import Scheme
from scripts.regeneration.python_types import Member, Type
from scripts.regeneration.schemas import Schemas

_DEPRECATION = """import sys

if sys.version_info >= (3, 13):
    from warnings import deprecated
else:
    from typing_extensions import deprecated"""


def failing_line(error: Exception) -> str | None:
    """Give the file and the line of the template that an error comes from; None if it comes from none."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or error.name}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    return next(
        (
            f"{frame.filename}:{frame.lineno}"
            for frame in reversed(frames)
            if frame.filename.endswith(".jinja")
        ),
        None,
    )


def generate(document: Document, spec: Path, into: Path, name: str = PRIMARY) -> None:
    """Write the package into the folder `into`, which does not exist yet.

    Args:
        document: The API document, which is valid.
        spec: The folder with the templates and the rules of formatting.
        into: The package's folder.
        name: The document's name.

    Raises:
        RegenerationError: The document or a template does not fit.
    """
    schemas = Schemas(document)
    operations = Operations(document, schemas)
    try:
        for path, text in _files(document, schemas, operations, spec / "templates", name):
            place = into / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    except Exception as error:  # a template raises whatever its expressions raise
        where = failing_line(error) or f"A template in {spec / 'templates'}"
        raise RegenerationError(f"{where} does not fit: {error!r}") from error
    (into / "py.typed").touch()
    layout(into, spec / "ruff.toml")


def _files(
    document: Document, schemas: Schemas, operations: Operations, templates: Path, name: str
) -> Iterator[tuple[str, str]]:
    environment = Environment(  # noqa: S701 (it writes Python) # nosec B701
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.loopcontrols"],
    )
    environment.filters |= {
        "docstring": _docstring,
        "literal": _literal,
        "assigned": _assigned,
        "credential": _credential,
        "optional": _optional,
    }
    environment.globals |= {
        "classes": schemas.classes,
        "operations": operations.found,
        "webhooks": operations.webhooks,
        "servers": operations.servers,
        "token": operations.token,
        "authorization_server": operations.authorization_server,
        "title": document["info"]["title"],
        "deprecation": _DEPRECATION,
        "name": name,
        "is_primary": name == PRIMARY,
        "root": "" if name == PRIMARY else ".",  # what all packages share is in the primary one
    }

    def render(template: str, **given: Any) -> str:
        return environment.get_template(f"{template}.jinja").render(given)

    yield "__init__.py", render("package_init.py")
    shared = ("events.py", "_base.py", "_http.py") if name == PRIMARY else ()
    for path in ("client.py", "errors.py", "types.py", *shared):
        yield path, render(path)
    if operations.webhooks:
        yield "webhooks.py", render("webhooks.py")
    yield "models/__init__.py", render("models_init.py")
    for model in schemas.classes.values():
        yield f"models/{model.module}.py", render("enum.py" if model.values else "model.py", model=model)
    yield "api/__init__.py", '"""The operations, by their tags."""\n'
    for operation in operations.found:
        yield (
            f"api/{operation.tag}/__init__.py",
            f'"""The operations tagged {_docstring(operation.tag)}."""\n',
        )
        yield f"api/{operation.tag}/{operation.name}.py", render("endpoint_module.py", operation=operation)


def _docstring(text: object) -> str:
    """Give a text as it can be inside a docstring."""
    found = str(text).strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return found[:-1] + '\\"' if found.endswith('"') else found


def _literal(value: Any) -> str:
    """Give a value as code."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _assigned(member: Member) -> str:
    """Give what follows a parameter's type: its default, if it has one."""
    default = member.default if member.default is not None else None if member.is_required else "UNSET"
    return "" if default is None else f" = {default}"


def _credential(scheme: Scheme | None) -> str:
    if scheme is None or scheme.location == "basic":
        return "None"
    return f"({_literal(scheme.location)}, {_literal(scheme.name)}, {_literal(scheme.prefix)})"


def _optional(kind: Type) -> str:
    return f"{kind}" if {"None", "Any"} & {*kind.choices} else f"{kind} | None"


def layout(package: Path, rules: Path) -> None:
    """Sort imports and format, by the given rules and no others."""
    common = ["--config", str(rules.resolve()), "--no-cache", "--quiet", package.name]
    for command in (["check", "--fix"], ["format"]):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ruff", *command, *common],
            cwd=package.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RegenerationError(
                f"ruff {command[0]} does not accept what the templates give:\n{done.stdout}{done.stderr}"
            )
