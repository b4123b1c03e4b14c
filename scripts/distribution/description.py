"""What describes a release: its bill of materials in CycloneDX, with hashes, and its provenance in the forms of in-toto and SLSA.

The provenance is not signed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from scripts.distribution.build import Checkout, digest

LOCKS = ("requirements-dev.lock", "scripts/distribution/extras.lock", "scripts/distribution/tools.lock")


def write_provenance(checkout: Checkout, address: str, version: str, files: list[Path], file: Path) -> None:
    """Write the statement about some files.

    Args:
        checkout: What they were built from.
        address: The address of the repository.
        version: The version that is released.
        files: The files.
        file: The file to write.
    """
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
