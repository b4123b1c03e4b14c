"""The files of a release: wheel and source, built twice, its bill of materials in CycloneDX, and its provenance as in-toto and SLSA have it.

The same commit gives the same wheel and source. The provenance is not signed.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from scripts.git import export, run_git

LOCKS = ("requirements-dev.lock", "scripts/distribution/extras.lock", "scripts/distribution/tools.lock")


class Checkout(NamedTuple):
    """A checkout of the repository.

    Attributes:
        root: Its folder.
    """

    root: Path

    @property
    def commit(self) -> str:
        """The commit that is checked out."""
        return run_git(self.root, "rev-parse", "HEAD").decode().strip()

    @property
    def committed_at(self) -> int:
        """When it was committed, in seconds since 1970."""
        return int(run_git(self.root, "show", "-s", "--format=%ct", "HEAD"))

    def changes(self) -> list[str]:
        """What differs from the commit, files that git does not know included."""
        return run_git(self.root, "status", "--porcelain").decode().splitlines()

    def commit_of_tag(self, tag: str) -> str | None:
        """The commit that a tag names, None where there is no such tag."""
        names = "--format=%(objectname) %(*objectname)"  # an annotated tag is an object, too
        found = run_git(self.root, "for-each-ref", names, f"refs/tags/{tag}").decode().split()
        return found[-1] if found else None


_BUILD = """
import os, sys
from poetry.core.masonry import api
os.umask(int(sys.argv[2], 8))
api.build_wheel(sys.argv[1])
api.build_sdist(sys.argv[1])
"""
# What may differ between two machines must not show.
_MACHINES = (
    {"umask": "022", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    {"umask": "077", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
)


class IrreproducibleError(Exception):
    """Two builds of one commit differ."""


def build(checkout: Checkout, folder: Path) -> list[Path]:
    """Build wheel and source from the commit, and return their files.

    Raises:
        IrreproducibleError: A second build gives other files.
    """
    made: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as place:
        for number, machine in enumerate(_MACHINES):
            source, target = Path(place) / f"source-{'x' * number}", Path(place) / f"built-{number}"
            source.mkdir()
            target.mkdir()
            export(checkout.root, source, "HEAD")
            environment = {**os.environ, **machine, "SOURCE_DATE_EPOCH": str(checkout.committed_at)}
            command = [sys.executable, "-c", _BUILD, str(target), machine["umask"]]
            subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)
            made.append({file.name: digest(file) for file in sorted(target.iterdir())})
        if made[0] != made[1]:
            differing = sorted(name for name, _ in made[0].items() ^ made[1].items())
            raise IrreproducibleError(f"two builds differ: {', '.join(dict.fromkeys(differing))}")
        folder.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copy(Path(place) / "built-0" / name, folder / name)) for name in made[0]]


def digest(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def describe(checkout: Checkout, project: dict[str, Any], files: list[Path], cyclonedx: Path) -> list[Path]:
    """Write the bill of materials and the provenance of files beside them, and return their files.

    Args:
        checkout: What the files were built from.
        project: The table `project` of pyproject.toml.
        files: The files.
        cyclonedx: The program `cyclonedx-py`.
    """
    stem = f"{str(project['name']).replace('-', '_')}-{project['version']}"
    materials, provenance = (files[0].with_name(f"{stem}.{kind}.json") for kind in ("cdx", "intoto"))
    write_materials(checkout.root, materials, cyclonedx, checkout.committed_at)
    _write_provenance(checkout, project, [*files, materials], provenance)
    return [materials, provenance]


def _write_provenance(checkout: Checkout, project: dict[str, Any], files: list[Path], file: Path) -> None:
    """Write the statement about some files."""
    address, version = project["urls"]["Repository"], project["version"]
    source = {"uri": f"git+{address}@refs/tags/v{version}", "digest": {"gitCommit": checkout.commit}}
    script = f"{address}/tree/v{version}/scripts/release"
    locks = ({"name": name, "digest": {"sha256": digest(checkout.root / name)}} for name in LOCKS)
    tools = {"python": platform.python_version(), "poetry-core": importlib.metadata.version("poetry-core")}
    definition = {
        "buildType": script,
        "externalParameters": {"repository": address, "ref": f"refs/tags/v{version}"},
        "internalParameters": {"SOURCE_DATE_EPOCH": checkout.committed_at, **tools},
        "resolvedDependencies": [source, *locks],
    }
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": each.name, "digest": {"sha256": digest(each)}} for each in files],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": definition, "runDetails": {"builder": {"id": script}}},
    }
    file.write_text(json.dumps(statement, indent=2) + "\n", "utf-8")


def write_materials(root: Path, file: Path, cyclonedx: Path, epoch: int) -> None:
    """Write the bill of materials.

    The same locks give the same bytes. What only an extra needs has the scope `optional`.

    Args:
        root: The checkout.
        file: The file to write.
        cyclonedx: The program `cyclonedx-py`.
        epoch: The time in it, in seconds since 1970.

    Raises:
        subprocess.CalledProcessError: The program failed.
    """
    locks = root / "scripts"
    with tempfile.TemporaryDirectory() as place:
        project = Path(place) / "pyproject.toml"
        # Of two tables that name a project, the program reads that of poetry, which here says how to build and no more.
        text = (root / "pyproject.toml").read_text("utf-8")
        project.write_text(text.partition("\n[tool.")[0] + "\n", "utf-8")
        kind = ["--pyproject", str(project), "--mc-type", "library", "--sv", "1.6", "--of", "JSON"]
        lock = str(locks / "distribution" / "extras.lock")
        command = [str(cyclonedx), "requirements", *kind, "--output-reproducible", lock]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
    materials: dict[str, Any] = json.loads(done.stdout)
    ours = (locks / "benchmarks" / "locks" / "ours.lock").read_text("utf-8")
    required = re.findall(r"^([a-z0-9._-]+)==", ours, re.MULTILINE)
    for component in materials["components"]:
        component["scope"] = "required" if component["name"] in required else "optional"
        component.pop("description", None)  # the line of the lock, once more
    file.write_text(json.dumps(materials, indent=2, sort_keys=True) + "\n", "utf-8")
