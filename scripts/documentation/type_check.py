"""Checks the types of every Python block of README and the documentation: mypy --strict, and pyright's standard mode.

A page is one module, as it is one program when it runs; a block with a title is a module of its own, and so is each block of
README. A block that is not run is not checked either: its page says why.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import PAGES, Block, blocks

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
STUBS = Path(__file__).parent / "stubs"
"""The few names of Celery, Django and Flask that the pages use; these are not among the tools of the project."""
_STANDARD = {
    "typeCheckingMode": "standard",
    "pythonVersion": "3.11",
    "reportPossiblyUnboundVariable": "warning",  # as in pyright
    "extraPaths": [str(ROOT), str(ROOT / "generated")],
    "stubPath": str(STUBS),
}


def extract_modules(page: Path, found: list[Block]) -> dict[str, tuple[Path, str]]:
    """Return the modules of a page by their names: the page, and the source, each line where the page has it."""
    name = re.sub(r"\W", "_", page.relative_to(ROOT).with_suffix("").as_posix())
    modules: dict[str, list[Block]] = defaultdict(list)
    titles = [block.title for block in found if block.title and block.title.endswith(".py")]
    files = "|".join(re.escape(Path(title).stem) for title in titles) or "-"
    for block in found:
        if block.language == "python" and block.excuse is None:
            own = f"_{block.line}" if page == README else f"__{Path(block.title).stem}" if block.title else ""
            modules[name + own].append(block)
    # A file of the page is a module among those of all pages here.
    rename, alias = re.compile(rf"(?m)^(\s*from )({files})\b"), re.compile(rf"(?m)^(\s*import )({files})$")
    return {
        module: (page, alias.sub(rf"\1{name}__\2 as \2", rename.sub(rf"\1{name}__\2", _join(several))))
        for module, several in modules.items()
    }


def _join(several: list[Block]) -> str:
    text = ""
    for block in several:
        text += "\n" * (block.line - text.count("\n")) + block.source
    return text


def check(modules: dict[str, tuple[Path, str]]) -> Iterator[str]:
    """Yield what the type checkers object to."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name, (_, source) in modules.items():
            (home / f"{name}.py").write_text(source, "utf-8")
        (home / "pyrightconfig.json").write_text(json.dumps(_STANDARD))
        files = [str(home / f"{name}.py") for name in modules]
        tools = {
            # By the settings of the project, whose cache then serves the documentation too.
            "mypy": ["--no-error-summary", *files],
            "basedpyright": ["--project", folder, "--pythonpath", sys.executable, folder],
        }
        for tool, arguments in tools.items():
            command = [str(Path(sys.executable).parent / tool), *arguments]
            known = {"PATH": "/usr/bin:/bin", "MYPYPATH": str(STUBS)}
            done = subprocess.run(command, cwd=ROOT, env=known, capture_output=True, text=True, check=False)
            for line in done.stdout.splitlines():
                place = re.search(r"(\w+)\.py:(\d+)(?::\d+)?(?: -|:) (error.*)", line)
                if place is not None and place[1] in modules:
                    yield f"{modules[place[1]][0].relative_to(ROOT)}:{place[2]}: {tool}: {place[3]}"
                elif done.returncode not in (0, 1) and line:
                    yield f"{tool}: {line}"


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    modules: dict[str, tuple[Path, str]] = {}
    for page in (README, *PAGES):
        modules |= extract_modules(page, blocks(page))
    wrong = list(check(modules))
    print(*wrong, sep="\n" if wrong else "", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
