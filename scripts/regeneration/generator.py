"""From a document to the package: what `schemas` and `operations` read of it is rendered by the templates in spec/templates/."""

from __future__ import annotations

import json
import re
import subprocess
import traceback
from pathlib import Path
from typing import Any

import jinja2
from openapi_python_client.strings import safe_for_docstring
from ruff import find_ruff_bin  # type: ignore[import-untyped] # it has no types

from scripts.regeneration.documents import Document
from scripts.regeneration.expressions import annotate
from scripts.regeneration.facts import Scheme
from scripts.regeneration.operations import Operations
from scripts.regeneration.packages import PRIMARY
from scripts.regeneration.problems import RegenerationError

_DEPRECATION = """import sys

if sys.version_info >= (3, 13):
    from warnings import deprecated
else:
    from typing_extensions import deprecated"""


def failing_line(error: Exception) -> str | None:
    """Give the file and the line of the template that an error comes from; None if it comes from none."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename or error.name}:{error.lineno}"
    frames = reversed(traceback.extract_tb(error.__traceback__))
    lines = (f"{it.filename}:{it.lineno}" for it in frames if it.filename.endswith(".jinja"))
    return next(lines, None)


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
    operations = Operations(document)
    try:
        texts = render(operations, spec, name)
    except Exception as error:  # a template raises whatever its expressions raise
        where = failing_line(error) or f"A template in {spec / 'templates'}"
        raise RegenerationError(f"{where} does not fit: {error!r}") from error
    for path, text in texts.items():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_text(text, encoding="utf-8")
    layout(into, spec / "ruff.toml")


def render(operations: Operations, spec: Path, name: str) -> dict[str, str]:
    """Give the files of a package by their paths in it, not formatted yet."""
    schemas = operations.schemas
    env = jinja2.Environment(  # noqa: S701 # nosec B701 # it writes Python
        loader=jinja2.FileSystemLoader(spec / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # A run renders several packages by the same templates; what is compiled stays in a temporary folder of the user's.
        bytecode_cache=jinja2.FileSystemBytecodeCache(),
    )
    env.filters |= {
        "docstring": _docstring,
        "literal": _literal,
        "credential": _credential,
        "keywords": lambda names: ", ".join(f"{name}={name}" for name in names),
        "annotation": lambda several: annotate(*several),
        "named": lambda several: sorted(
            schemas.classes.keys() & {*re.findall(r"\w+", " ".join(map(annotate, several)))}
        ),
    }
    env.globals |= {
        "classes": schemas.classes,
        "api": operations,
        "deprecation": _DEPRECATION,
        "title": operations.document["info"]["title"],
        "name": name,
        "root": "" if name == PRIMARY else ".",  # what all packages share is in the primary one
    }
    shared = ("errors.py", "types.py", "events.py", "_base.py", "_http.py") if name == PRIMARY else ()
    templates = {
        each: each for each in ("client.py", *shared, *(["webhooks.py"] if operations.webhooks else []))
    }
    templates |= {
        "__init__.py": "package_init.py",
        "models/__init__.py": "models_init.py",
        "api/__init__.py": "api_init.py",
    }
    texts = {path: env.get_template(f"{template}.jinja").render() for path, template in templates.items()}
    for made in schemas.classes.values():
        template = env.get_template("enum.py.jinja" if made.constants else "model.py.jinja")
        texts[f"models/{made.module}.py"] = template.render(made=made)
    for operation in operations.found:
        for path, of in ((f"{operation.name}.py", "module"), ("__init__.py", "init")):
            template = env.get_template(f"endpoint_{of}.py.jinja")
            texts[f"api/{operation.tag}/{path}"] = template.render(operation=operation)
    # The mark of the primary package holds for those inside it.
    return texts | ({"py.typed": ""} if name == PRIMARY else {})


def _docstring(text: object) -> str:
    """Give a text as it can be inside a docstring."""
    found = safe_for_docstring(text or "").strip()
    return found[:-1] + '\\"' if found.endswith('"') else found


def _literal(value: Any) -> str:
    """Give a value as code."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _credential(scheme: Scheme | None) -> str:
    if scheme is None or scheme.location == "basic":
        return "None"
    return f"({_literal(scheme.location)}, {_literal(scheme.name)}, {_literal(scheme.prefix)})"


def layout(package: Path, rules: Path) -> None:
    """Sort imports and format, by the given rules and no others."""
    common = ["--config", str(rules.resolve()), "--no-cache", "--quiet", package.name]
    for command in (["check", "--fix"], ["format"]):
        arguments = [find_ruff_bin(), *command, *common]
        done = subprocess.run(arguments, cwd=package.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            said = f"{done.stdout}{done.stderr}"
            raise RegenerationError(f"ruff {command[0]} does not accept what the templates give:\n{said}")
