"""Generate from both documents, with whichever Python runs this: `python -m tests.regenerate.generating FOLDER`."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

gc.disable()  # what is made stays until the end

from scripts.regeneration.documents import parse  # noqa: E402
from scripts.regeneration.generator import generate  # noqa: E402
from scripts.regeneration.reading import read_file  # noqa: E402
from scripts.regeneration.sources import PRIMARY, packages  # noqa: E402
from tests.regenerate import golden  # noqa: E402


def main() -> None:
    """Write what the repository's documents give into FOLDER/repository, and what the small one gives into FOLDER/golden."""
    folder = Path(sys.argv[1])
    documents = [
        (golden.SPEC / package.document, folder / "repository" / package.folder, package.name)
        for package in packages(golden.SPEC)
    ]
    documents.append((golden.DOCUMENT, folder / "golden" / golden.RECORD.name, PRIMARY))
    for document, into, name in documents:
        into.parent.mkdir(parents=True, exist_ok=True)
        generate(parse(read_file(document), str(document)), golden.SPEC, into, name)


if __name__ == "__main__":
    main()
