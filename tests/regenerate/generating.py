"""Generate from both documents, with whichever Python runs this: `python -m tests.regenerate.generating FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.regeneration.documents import parse
from scripts.regeneration.generator import generate
from scripts.regeneration.reading import read_file
from tests.regenerate import golden


def main() -> None:
    """Writes what the repository's document gives into FOLDER/repository, and what the small one gives into FOLDER/golden."""
    folder = Path(sys.argv[1])
    for name, document in (
        ("repository", golden.SPEC / "payman.openapi.yaml"),
        ("golden", golden.DOCUMENT),
    ):
        (folder / name).mkdir(parents=True)
        generate(parse(read_file(document), str(document)), golden.SPEC, folder / name / golden.RECORD.name)


if __name__ == "__main__":
    main()
