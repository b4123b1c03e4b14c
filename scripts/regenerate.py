"""Write generated/ anew from spec/. Run it as scripts/regenerate, which sets up what it needs."""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import openapi_python_client
import yaml
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.strings import PythonIdentifier
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

GENERATOR = "0.29.1"
"""The release whose templates spec/templates/ was written for. They are outside its semantic versioning."""
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
EVENT_STREAM = "text/event-stream"


class RegenerationError(Exception):
    """Why nothing was written; the message is for the person who ran the script."""


def read_document(path: Path) -> dict[str, Any]:
    """Read the spec and check that it is valid OpenAPI."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RegenerationError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise RegenerationError(f"{path} is not an OpenAPI document: a mapping is expected.")
    try:
        validate(document)
    except OpenAPIValidationError as error:
        place = "/".join(str(step) for step in getattr(error, "absolute_path", ()))
        # What follows the first line is the whole document over again.
        said = str(getattr(error, "message", error)).partition("\n")[0]
        raise RegenerationError(f"{path} is not valid OpenAPI: {said} (at /{place})") from error
    except (
        Exception
    ) as error:  # the validator lets out what its parts raise, such as an unresolvable reference
        raise RegenerationError(f"{path} is not valid OpenAPI: {error!r}") from error
    return document


def operations(document: dict[str, Any], config: Config) -> dict[str, dict[str, Any]]:
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


def sends_token(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    """Say whether an operation needs the access token; the generator takes any security at all for that."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    wanted = operation.get("security", document.get("security", []))
    return any(schemes[name]["type"] == "apiKey" for alternative in wanted for name in alternative)


def event_model(document: dict[str, Any], operation: dict[str, Any], config: Config) -> Class | None:
    """Give the model of an event stream's events; the generator sees only the first media type of an answer."""
    answer = operation["responses"].get("200", {})
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    if EVENT_STREAM not in answer.get("content", {}):
        return None
    schema = answer["content"][EVENT_STREAM].get("schema", {})
    if "$ref" not in schema:
        raise RegenerationError(f"{operation['operationId']}: the schema of {EVENT_STREAM} has to be a $ref.")
    return Class.from_string(string=schema["$ref"], config=config)


def generate(spec: Path, into: Path) -> None:
    """Write the package into the folder `into`, which does not exist yet."""
    if openapi_python_client.__version__ != GENERATOR:
        raise RegenerationError(
            f"spec/templates/ is for openapi-python-client {GENERATOR}; {openapi_python_client.__version__} is installed. "
            "Compare its templates with ours, then change GENERATOR in scripts/regenerate.py."
        )
    document = read_document(spec / "payman.openapi.yaml")
    project = prepare(document, spec, into)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            problems = project.build()
    except Exception as error:  # a template raises whatever its expressions raise
        raise RegenerationError(f"A template in {spec / 'templates'} does not fit: {error!r}") from error
    if problems:
        said = "\n".join(f"{problem.header} {problem.detail or ''}" for problem in problems)
        raise RegenerationError(f"The generator has complaints:\n{said}")
    (into / "py.typed").touch()
    layout(into, spec / "ruff.toml")


def prepare(document: dict[str, Any], spec: Path, into: Path) -> Project:
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
            endpoint.requires_security = sends_token(document, by_name[endpoint.name])

    project = Project(openapi=parsed, config=config, custom_template_path=spec / "templates")
    project.env.loader = ChoiceLoader(
        [
            FileSystemLoader(spec / "templates"),
            PackageLoader("openapi_python_client"),
            PrefixLoader({"original": PackageLoader("openapi_python_client")}),
        ]
    )
    project.env.globals.update(document=document, events=events)
    return project


def layout(package: Path, rules: Path) -> None:
    """Sort imports and format, by the given rules and no others."""
    common = ["--config", str(rules.resolve()), "--no-cache", "--quiet", package.name]
    for command in (["check", "--fix"], ["format"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *common],
            cwd=package.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RegenerationError(
                f"ruff {command[0]} does not accept what the templates give:\n{done.stdout}{done.stderr}"
            )


def files(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def differences(old: dict[str, bytes], new: dict[str, bytes]) -> dict[str, str]:
    """Say of every file that differs how it does."""
    return {
        name: "added" if name not in old else "removed" if name not in new else "changed"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    }


def replace(old: Path, new: Path) -> None:
    """Put the folder `new` in the place of `old`; until the last moment, `old` is as it was."""
    coming, going = old.with_name(f".{old.name}.coming"), old.with_name(f".{old.name}.going")
    for left_over in (coming, going):
        shutil.rmtree(left_over, ignore_errors=True)
    shutil.copytree(new, coming)
    if old.exists():
        old.rename(going)
    try:
        coming.rename(old)
    except OSError:
        going.rename(old)
        raise
    shutil.rmtree(going, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Regenerate, or check; give the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/regenerate", description="Write generated/ anew from spec/."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail if generated/ is not what spec/ gives"
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(__file__).parents[1],
        help="the folder that holds spec/ and generated/",
    )
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    generated = root / "generated"
    with tempfile.TemporaryDirectory(prefix="payman-") as scratch:
        fresh = Path(scratch)
        try:
            generate(root / "spec", fresh / "payman_api")
        except RegenerationError as error:
            print(f"scripts/regenerate: {error}\nNothing was changed.", file=sys.stderr)
            return 2
        found = differences(files(generated), files(fresh))
        if options.check:
            return report(found)
        if found:
            replace(generated, fresh)
        for name, kind in found.items():
            print(f"{kind} generated/{name}")
    return 0


def report(found: dict[str, str]) -> int:
    """Name every file that differs; give the exit status of a check."""
    words = {
        "added": "is missing",
        "removed": "is not from the spec",
        "changed": "is not what the spec gives",
    }
    for name, kind in found.items():
        print(f"generated/{name} {words[kind]}", file=sys.stderr)
    if found:
        print("Run scripts/regenerate.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
