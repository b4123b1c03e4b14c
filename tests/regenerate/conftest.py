from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from scripts.regeneration import history, type_check, work
from scripts.regeneration.command import main
from scripts.regeneration.documents import Document, dump, parse
from scripts.regeneration.generator import generate
from scripts.regeneration.type_check import Fault

ROOT = Path(__file__).parents[2]
DOCUMENT = "spec/payman.openapi.yaml"


def everything(root: Path) -> dict[str, bytes]:
    """What is in spec/ and generated/, and in the folder itself: what a failure must leave as it was."""
    found = {str(path): path.read_bytes() for path in root.glob("*") if path.is_file()}
    for name in ("spec", "generated"):
        folder = root / name
        found |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert not (root / ".regenerating").exists()
    return found


def colour(document: Any) -> None:
    document["components"]["schemas"]["TaskSendParams"]["properties"]["colour"] = {"type": "string"}


def edit(copy: Path, name: str, old: str, new: str) -> None:
    path = copy / "spec" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@dataclass(frozen=True)
class Run:
    """How a run of the command went."""

    status: int
    out: str
    err: str

    def section(self, title: str) -> list[str]:
        """Give the lines of one part of what was told."""
        lines = self.out.splitlines()
        if title not in lines:
            return []
        after = lines[lines.index(title) + 1 :]
        return [line.removeprefix("  ") for line in after[: after.index("") if "" in after else None]]


Regenerate = Callable[..., Run]
Changed = Callable[[Callable[[Any], None]], Path]


@pytest.fixture(scope="session", autouse=True)
def faults_of_ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], list[Fault]]]:
    """The type checker reads the SDK once for all processes that test, and once more only where it has changed since.

    Gives what says which lines do not fit the client at hand.
    """
    own = tmp_path_factory.mktemp("types")
    ours = own / f"regeneration-{type_check._modules(ROOT / 'generated')}"
    look = type_check.type_faults

    @cache
    def first() -> list[Fault]:
        shared = ROOT / ".mypy_cache" / "tests" / ours.name
        shared.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{shared}.lock"):
            found = look(ROOT, ROOT / "generated", own / "view", shared)
            shutil.copytree(shared, ours)
        return found

    def looking(root: Path, generated: Path, view: Path, memory: Path) -> list[Fault]:
        if memory == ours:
            first()
        return look(root, generated, view, memory)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(own))
        patch.setattr(type_check, "type_faults", looking)
        yield first


@pytest.fixture(scope="session", autouse=True)
def _a_client_is_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A document that one test has made a client from gives the next one a copy of it; programs of their own make their own."""
    made: dict[bytes, Path] = {}

    def making(document: Document, spec: Path, into: Path, name: str) -> None:
        rules = [path for path in sorted(spec.rglob("*")) if path.is_file() and not is_of_document(path)]
        read = [(path.relative_to(spec), path.read_bytes()) for path in rules]
        key = hashlib.sha256(repr((document, read, name)).encode()).digest()
        if key not in made:
            generate(document, spec, into, name)
            made[key] = Path(shutil.copytree(into, tmp_path_factory.mktemp("made") / "client"))
        else:
            shutil.copytree(made[key], into)

    def is_of_document(path: Path) -> bool:
        return ".openapi." in path.name or path.parent.name == "overlays"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "prove", lambda *_: None)  # it has tests of its own
        for module in (work, history):
            patch.setattr(module, "generate", making)
        yield


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what a regeneration reads and writes."""
    place = tmp_path / "copy"
    for name in ("spec", "generated", "payman_sdk"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


@pytest.fixture
def bare(copy: Path) -> Path:
    """A copy without the SDK, so that no types are checked."""
    shutil.rmtree(copy / "payman_sdk")
    return copy


@pytest.fixture
def regenerate(copy: Path, capsys: pytest.CaptureFixture[str]) -> Regenerate:
    """Runs the command on the copy, without the time that a process of its own takes."""

    def run(*arguments: str | Path) -> Run:
        status = main(["--root", str(copy), *map(str, arguments)])
        out, err = capsys.readouterr()
        return Run(status, out, err)

    return run


@pytest.fixture(scope="session")
def _ours() -> Document:
    document: Document = parse((ROOT / DOCUMENT).read_bytes(), DOCUMENT)
    return document


@pytest.fixture
def changed(_ours: Document, tmp_path: Path) -> Callable[[Callable[[Any], None]], Path]:
    """Gives a file with our document, after something has been changed in it."""

    def write(change: Callable[[Any], None]) -> Path:
        document = parse(dump(_ours), DOCUMENT)
        change(document)
        path = tmp_path / "new.yaml"
        path.write_bytes(dump(document))
        return path

    return write
