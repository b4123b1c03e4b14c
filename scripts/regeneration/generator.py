"""From a document to the package: openapi-python-client parses it and renders it by the templates in spec/templates/.

It gets the document in forms that it reads rightly (`schemas`, `operations`): classes without their members, so that an operation
that refers to a ring of classes is read in a moment, and operations with what they answer. All else the templates look up in
the classes and in `facts`.
"""

import contextlib
import io
import json
import re
import traceback
from pathlib import Path
from typing import Any

from jinja2 import FileSystemBytecodeCache, StrictUndefined
from openapi_python_client import Project
from openapi_python_client.config import ClassOverride, Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.strings import safe_for_docstring

from scripts.regeneration import RegenerationError
from scripts.regeneration.documents import Document
from scripts.regeneration.expressions import OTHER, Expression, annotate
from scripts.regeneration.facts import Scheme
from scripts.regeneration.identifiers import PREFIX
from scripts.regeneration.operations import Operations
from scripts.regeneration.sources import PRIMARY
from scripts.regeneration.type_check import run

_DEPRECATION = """import sys

if sys.version_info >= (3, 13):
    from warnings import deprecated
else:
    from typing_extensions import deprecated"""
_MEMBERS = ("properties", "required", "additionalProperties")


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
    project = prepare(operations, spec, into, name)
    shared = ("events.py", "_base.py", "_http.py") if name == PRIMARY else ()
    extra = [*shared, *(["webhooks.py"] if operations.webhooks else [])]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            problems = project.build()
        for path in extra:
            (into / path).write_text(project.env.get_template(f"{path}.jinja").render(), encoding="utf-8")
    except Exception as error:  # a template raises whatever its expressions raise
        frames = reversed(traceback.extract_tb(error.__traceback__))
        lines = (f"{it.filename}:{it.lineno}" for it in frames if it.filename.endswith(".jinja"))
        where = next(lines, f"A template in {spec / 'templates'}")
        raise RegenerationError(f"{where} does not fit: {error!r}") from error
    if problems:
        said = "\n".join(f"{problem.header} {problem.detail or ''}" for problem in problems)
        raise RegenerationError(f"openapi-python-client has complaints:\n{said}")
    if name == PRIMARY:  # its mark holds for the packages inside it
        (into / "py.typed").touch()
    for path in () if name == PRIMARY else ("errors.py", "types.py"):  # the primary one's serve all packages
        (into / path).unlink()
    layout(into, spec / "ruff.toml")


def prepare(operations: Operations, spec: Path, into: Path, name: str) -> Project:
    """Let openapi-python-client parse a document, and give the templates what it ignores."""
    classes = operations.schemas.classes
    overrides = {it.name: ClassOverride(module_name=it.module) for it in classes.values()}
    given = ConfigFile(class_overrides=overrides, field_prefix=PREFIX)
    given.use_path_prefixes_for_title_model_names = False
    given.post_hooks = []  # the rules of formatting are given explicitly: see layout()
    config = Config.from_sources(given, MetaType.NONE, into, "utf-8", overwrite=False, output_path=into)
    title = operations.document["info"]["title"]
    # Whatever only refers to classes needs none of their members, and is read in a moment.
    read = {OTHER: {"title": OTHER, "type": "object"}}
    for each in classes.values():
        read[each.name] = {key: inner for key, inner in each.schema.items() if key not in _MEMBERS}
    paths = dict(each.item for each in operations.found)
    skeleton = {"openapi": "3.1.0", "info": {"title": title, "version": ""}, "paths": paths}
    parsed = GeneratorData.from_dict({**skeleton, "components": {"schemas": read}}, config=config)
    if isinstance(parsed, GeneratorError):
        said = f"{parsed.header} {parsed.detail or ''}"
        raise RegenerationError(f"openapi-python-client cannot read it: {said}")
    parsed.models = [model for model in parsed.models if model.class_info.name in classes]
    project = Project(openapi=parsed, config=config, custom_template_path=spec / "templates")
    project.env.undefined = StrictUndefined
    # A run generates several packages from the same templates; what is compiled stays in a temporary folder of the user's.
    project.env.bytecode_cache = FileSystemBytecodeCache()
    filters, shown = project.env.filters, project.env.globals
    filters.update(docstring=_docstring, literal=_literal, credential=_credential, assigned=_assigned)
    filters.update(declared=_declared, annotation=lambda several: annotate(*several))
    filters["keywords"] = lambda names: ", ".join(f"{name}={name}" for name in names)
    filters["named"] = lambda many: sorted(classes.keys() & re.findall(r"\w+", " ".join(map(annotate, many))))
    shown.update(classes=classes, api=operations, deprecation=_DEPRECATION, title=title, name=name)
    shown["operations"] = {each.name: each for each in operations.found}
    shown["root"] = "" if name == PRIMARY else "."  # what all packages share is in the primary one
    return project


def _docstring(text: object) -> str:
    """Return a text as it can be inside a docstring."""
    found = safe_for_docstring(text or "").strip()
    return found[:-1] + '\\"' if found.endswith('"') else found


def _literal(value: Any) -> str:
    """Return a value as code."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _declared(member: Expression, is_required: bool) -> str:
    """Return the annotation of a member or a parameter, absence included."""
    return f"{annotate(member)}{'' if is_required else ' | Unset'}"


def _assigned(default: str | None, is_required: bool) -> str:
    """Return what follows the type of a member or a parameter: its default, if it has one."""
    found = default if default is not None else None if is_required else "UNSET"
    return "" if found is None else f" = {found}"


def _credential(scheme: Scheme | None) -> str:
    return f"({', '.join(map(_literal, scheme))})" if scheme and scheme.location != "basic" else "None"


def layout(package: Path, rules: Path) -> None:
    """Sort imports and format, by the given rules and no others."""
    common = ["--config", str(rules.resolve()), "--no-cache", "--quiet", package.name]
    for command in (["check", "--fix"], ["format"]):
        done = run(["-m", "ruff", *command, *common], "", package.parent)
        if done.returncode:
            said = f"{done.stdout}{done.stderr}"
            raise RegenerationError(f"ruff {command[0]} does not accept what the templates give:\n{said}")
