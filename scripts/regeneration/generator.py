"""From a document to the package: openapi-python-client with the settings and templates in spec/, formatted."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import traceback
from copy import deepcopy
from pathlib import Path
from typing import Any

import openapi_python_client
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader, TemplateSyntaxError
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.strings import PythonIdentifier

from scripts.regeneration.documents import Document
from scripts.regeneration.evidence import METHODS
from scripts.regeneration.packages import PRIMARY
from scripts.regeneration.problems import RegenerationError

GENERATOR = "0.29.1"
"""The release whose templates spec/templates/ was written for. They are outside its semantic versioning."""
EVENT_STREAM = "text/event-stream"
EVENTS = "events.py.jinja"


def operations(document: Document, config: Config) -> dict[str, dict[str, Any]]:
    """Give every operation by the name of its module."""
    found: dict[str, dict[str, Any]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                if "operationId" not in item[method]:
                    raise RegenerationError(
                        f"{method.upper()} {path} needs an operationId; it becomes the name of a module."
                    )
                found[PythonIdentifier(item[method]["operationId"], config.field_prefix)] = item[method]
    return found


def schemes(document: Document, operation: dict[str, Any]) -> set[str]:
    """Give the kinds of security that an operation has: the scheme of HTTP, or the type of another kind."""
    known = document.get("components", {}).get("securitySchemes", {})
    wanted = operation["security"] if "security" in operation else document.get("security", [])
    return {
        known[name].get("scheme", known[name]["type"]).lower()
        for alternative in wanted
        for name in alternative
    }


def accepted(document: Document, operation: dict[str, Any]) -> str:
    """Give the Accept header that names the vendor's media types of an operation's successes; empty where there are none."""
    answers = [answer for status, answer in operation["responses"].items() if str(status).startswith("2")]
    return ", ".join(
        {kind: 0 for it in answers for kind in resolved(document, it).get("content", {}) if "/vnd." in kind}
    )


def resolved(document: Document, answer: dict[str, Any]) -> dict[str, Any]:
    """Give an answer, or the shared one that it refers to."""
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found


def event_model(document: Document, operation: dict[str, Any], config: Config) -> Class | None:
    """Give the model of an event stream's events; the generator sees only the first media type of an answer."""
    answer = resolved(document, operation["responses"].get("200", {}))
    if EVENT_STREAM not in answer.get("content", {}):
        return None
    schema = answer["content"][EVENT_STREAM].get("schema", {})
    if "$ref" not in schema:
        raise RegenerationError(f"{operation['operationId']}: the schema of {EVENT_STREAM} has to be a $ref.")
    return Class.from_string(string=schema["$ref"], config=config)


def check_scheme(document: Document) -> None:
    """Check that the document says which header carries the access token; the templates make a constant of it.

    Raises:
        RegenerationError: It does not.
    """
    schemes = document.get("components", {}).get("securitySchemes", {})
    if not any(it.get("type") == "apiKey" and it.get("in") == "header" for it in schemes.values()):
        raise RegenerationError(
            "The document names no header for the access token: components.securitySchemes needs a scheme with "
            "type: apiKey, in: header and the header's name. An overlay in spec/overlays/ can add it."
        )


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
        spec: The folder with the generator's settings, the templates and the rules of formatting.
        into: The package's folder.
        name: The document's name.

    Raises:
        RegenerationError: The document, the settings or a template does not fit.
    """
    if openapi_python_client.__version__ != GENERATOR:
        raise RegenerationError(
            f"spec/templates/ is for openapi-python-client {GENERATOR}; {openapi_python_client.__version__} is installed. "
            "Compare its templates with ours, then change GENERATOR in scripts/regeneration/generator.py."
        )
    check_scheme(document)
    try:
        # The parser sorts and fills in as it reads; the document is its reader's.
        project = prepare(deepcopy(document), spec, into, name)
    except RegenerationError:
        raise
    except Exception as error:  # what it does not expect, it stumbles over
        raise RegenerationError(f"The generator cannot read the spec: {error!r}") from error
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            problems = project.build()
        if name == PRIMARY and (spec / "templates" / EVENTS).exists():  # older templates have none
            (into / "events.py").write_text(project.env.get_template(EVENTS).render(), encoding="utf-8")
    except Exception as error:  # a template raises whatever its expressions raise
        where = failing_line(error) or f"A template in {spec / 'templates'}"
        raise RegenerationError(f"{where} does not fit: {error!r}") from error
    if problems:
        said = "\n".join(f"{problem.header} {problem.detail or ''}" for problem in problems)
        raise RegenerationError(f"The generator has complaints:\n{said}")
    (into / "py.typed").touch()
    layout(into, spec / "ruff.toml")


def prepare(document: Document, spec: Path, into: Path, name: str = PRIMARY) -> Project:
    """Set the generator up, and tell the templates what it does not read from the document itself."""
    try:
        settings = ConfigFile.load_from_path(spec / "generator.yaml")
    except Exception as error:  # whatever YAML and pydantic raise
        raise RegenerationError(f"{spec / 'generator.yaml'} cannot be read: {error}") from error
    config = Config.from_sources(
        settings, MetaType.NONE, spec, file_encoding="utf-8", overwrite=False, output_path=into
    )
    parsed = GeneratorData.from_dict(document, config=config)
    if isinstance(parsed, GeneratorError):
        raise RegenerationError(f"The generator cannot read the spec: {parsed.header} {parsed.detail or ''}")

    by_name = operations(document, config)
    events = {name: event_model(document, operation, config) for name, operation in by_name.items()}
    for collection in parsed.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            # The generator takes any security at all for the access token.
            endpoint.requires_security = "apikey" in schemes(document, by_name[endpoint.name])

    project = Project(openapi=parsed, config=config, custom_template_path=spec / "templates")
    project.env.loader = ChoiceLoader(
        [
            FileSystemLoader(spec / "templates"),
            PackageLoader("openapi_python_client"),
            PrefixLoader({"original": PackageLoader("openapi_python_client")}),
        ]
    )
    accepts = {
        name: wanted for name, operation in by_name.items() if (wanted := accepted(document, operation))
    }
    basic = {name for name, operation in by_name.items() if "basic" in schemes(document, operation)}
    project.env.globals.update(
        document=document, events=events, accepts=accepts, basic=basic, name=name, is_primary=name == PRIMARY
    )
    return project


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
