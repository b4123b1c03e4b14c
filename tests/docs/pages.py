"""The blocks of code of a page of the documentation, and what running them means.

A page is one namespace and one folder, and its blocks run in order:

- `python` runs. What a `print` with `# -> …` behind it prints is what the comment says, every time.
- a block with a title, such as `python title="pay.py"`, is a file of that name in the folder.
- `bash` runs in the folder, with the programs of the project's environment, and has to succeed. A `text` block that follows
  it is what it prints; `…` stands for anything in a line, and alone for any lines. Other `text` blocks, and `diff`, are pictures and no code.
- `yaml` is data: it has to be readable.
- `<!-- not run: reason -->` on the line before a block excuses it.
"""

from __future__ import annotations

import ast
import builtins
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

import yaml
from attrs import field, frozen
from sybil.document import Document
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from tests import programs
from tests.environments import AS_OTHERS

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

_INFO = re.compile(r"(?P<language>[\w-]*)(?P<rest>[^\n]*)\n")
_TITLE = re.compile(r'title="([^"]+)"')
_EXCUSE = re.compile(r"<!-- not run: (\S[^>]+) -->\s*\Z")
_SAID = re.compile(r"# -> (.*)$")


@frozen
class Block:
    """A block of code on a page."""

    page: Path
    line: int
    language: str
    title: str | None
    source: str
    excuse: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(DOCS)}, line {self.line}"


def blocks(page: Path, text: str | None = None) -> list[Block]:
    """The blocks of a page, in order."""
    document = Document(page.read_text(encoding="utf-8") if text is None else text, str(page))
    for region in RawFencedCodeBlockLexer(_INFO)(document):
        document.add(region)
    found = []
    for _, region in document.regions:
        before = document.text[: region.start]
        title, excuse = _TITLE.search(region.lexemes["rest"]), _EXCUSE.search(before)
        found.append(
            Block(
                page=page,
                line=before.count("\n") + 1,
                language=region.lexemes["language"],
                title=title[1] if title else None,
                source=str(region.lexemes["source"]),
                excuse=excuse[1] if excuse else None,
            )
        )
    return found


@frozen
class Run:
    """A page that is being run.

    Args:
        folder: Where its files are, and where its shell blocks run.
        environment: The variables that its shell blocks find.
        namespace: The names of its Python blocks.
        printed: What each line that says what it prints has printed.
    """

    folder: Path
    environment: Mapping[str, str]
    namespace: dict[str, Any] = field(factory=dict[str, Any])
    _heard: dict[int, list[str]] = field(factory=dict[int, "list[str]"])

    def run(self, page: list[Block]) -> None:
        """Runs the blocks of a page in order."""
        said: str | None = None
        for block in page:
            if block.excuse is not None:
                said = None
            elif block.title is not None:
                (self.folder / block.title).write_text(block.source, encoding="utf-8")
            elif block.language == "python":
                self._python(block)
            elif block.language == "bash":
                said = self._bash(block)
            elif block.language == "text":
                if said is not None:
                    check_output(block, said)
                said = None
            elif block.language == "yaml":
                yaml.safe_load(block.source)
            elif block.language != "diff":
                raise AssertionError(
                    f"{block}: a block of {block.language or 'nothing'} is not run, nor excused"
                )

    def _python(self, block: Block) -> None:
        code = _compiled(block)
        promised = dict(_promises(block))
        self._heard.clear()
        self.namespace.update(__name__="__main__", print=self._print)
        exec(code, self.namespace)  # noqa: S102 # our own documentation
        for line, (first, expected) in promised.items():
            received = [text for at in range(first, line + 1) for text in self._heard.get(at, [])]
            assert received, f"{block.page.name}, line {line}: nothing was printed, rather than {expected}"
            assert set(received) == {expected}, f"{block.page.name}, line {line}: {received}"

    def _print(self, *values: object, **options: Any) -> None:
        printed = io.StringIO()
        builtins.print(*values, **{**options, "file": printed})
        builtins.print(*values, **options)
        self._heard.setdefault(sys._getframe(1).f_lineno, []).append(printed.getvalue().strip("\n"))

    def _bash(self, block: Block) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.source],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{block}:\n{done.stdout}"
        return done.stdout


def _compiled(block: Block) -> CodeType:
    """The block, with the line numbers that it has on its page."""
    # Without what this module imports from __future__, which readers do not.
    return compile("\n" * block.line + block.source, str(block.page), "exec", dont_inherit=True)


def _promises(block: Block) -> Iterator[tuple[int, tuple[int, str]]]:
    """The lines that say what is printed: the last line of the statement, its first, and what it prints."""
    lines = block.source.splitlines()
    for node in ast.walk(ast.parse(block.source)):
        if isinstance(node, ast.Expr) and node.end_lineno is not None:
            said = _SAID.search(lines[node.end_lineno - 1])
            if said:
                yield block.line + node.end_lineno, (block.line + node.lineno, said[1])


def check_output(block: Block, output: str) -> None:
    """Holds what a shell block printed against what the page says it prints, line by line."""
    lines = [
        "(.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n"
        for line in block.source.splitlines()
    ]
    assert re.fullmatch("".join(lines), f"{output.rstrip()}\n"), f"{block}: it printed\n{output}"


def environment(variables: Mapping[str, str], python: str = sys.executable) -> dict[str, str]:
    """Return the variables of a user's shell: this interpreter's programs first, and no setting of the test run."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PAYMAN_", "PYTEST_", "COV_"))
    }
    folders = [*([programs.find_commands()] if python == sys.executable else []), Path(python).parent]
    return {
        **own,
        "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
        "PYTHONWARNINGS": "error",
        "PYTEST_ADDOPTS": " ".join(AS_OTHERS),
        **variables,
    }
