"""Where the files of a release come from: a statement of in-toto with the provenance of SLSA. It is not signed."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Iterable
from pathlib import Path

from scripts.distribution.build import digest
from scripts.distribution.checkout import Checkout

LOCKS = (
    "requirements-dev.lock",
    "scripts/distribution/extras.lock",
    "scripts/distribution/tools.lock",
)


def write_provenance(
    checkout: Checkout, repository: str, version: str, files: Iterable[Path], file: Path
) -> None:
    """Write the statement about some files.

    Args:
        checkout: What they were built from.
        repository: Its address.
        version: The version that is released.
        files: The files.
        file: The file to write.
    """
    dependencies = [
        {
            "uri": f"git+{repository}@refs/tags/v{version}",
            "digest": {"gitCommit": checkout.commit},
        },
        *({"name": name, "digest": {"sha256": digest(checkout.root / name)}} for name in LOCKS),
    ]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": each.name, "digest": {"sha256": digest(each)}} for each in files],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"{repository}/tree/v{version}/scripts/release",
                "externalParameters": {"repository": repository, "ref": f"refs/tags/v{version}"},
                "internalParameters": {
                    "SOURCE_DATE_EPOCH": checkout.committed_at,
                    "python": platform.python_version(),
                    "poetry-core": importlib.metadata.version("poetry-core"),
                },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {"builder": {"id": f"{repository}/tree/v{version}/scripts/release"}},
        },
    }
    file.write_text(json.dumps(statement, indent=2) + "\n", "utf-8")
