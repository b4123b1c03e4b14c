from __future__ import annotations

import contextlib
import copy as copying
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from scripts.regeneration import proof, reading, sources, type_check, work
from scripts.regeneration.command import main
from scripts.regeneration.documents import Document, parse
from scripts.regeneration.generator import generate
from scripts.regeneration.sources import packages
from scripts.regeneration.type_check import Fault
from tests.regenerate import golden
from tests.yaml_text import dump_yaml

ROOT = Path(__file__).parents[2]
DOCUMENT = "spec/payman.openapi.yaml"
LIBRARIES = ["attr.*", "attrs.*", "dateutil.*", "httpx.*"]
"""What `payman_api` is made of, and the SDK needs itself."""


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


def write_settings(root: Path) -> None:
    """Write the project's settings, by which the type checker reads no library that only an extra brings.

    What these give the SDK no document of the API changes, and three frameworks for agents take the most of a minute to read.
    """
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert text.count("[tool.mypy]\n") == 1
    few = f'[[tool.mypy.overrides]]\nmodule = {LIBRARIES}\nfollow_imports = "normal"\n'
    text = text.replace("[tool.mypy]\n", '[tool.mypy]\nfollow_imports = "skip"\n') + f"\n{few}"
    (root / "pyproject.toml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="session", autouse=True)
def faults_of_ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], list[Fault]]]:
    """The type checker reads the SDK and the client once for all processes that test; later only what has changed since.

    Gives what says which lines do not fit the client at hand.
    """
    own = tmp_path_factory.mktemp("types")
    ours = own / f"regeneration-{type_check._modules(ROOT / 'generated')}"
    write_settings(own)
    (own / "payman_sdk").symlink_to(ROOT / "payman_sdk")
    look, find = type_check.type_faults, proof.find_type_problems

    @contextlib.contextmanager
    def remembered(name: str, into: Path) -> Iterator[Path]:
        shared = ROOT / ".mypy_cache" / "tests" / name
        shared.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{shared}.lock"):
            yield shared
            shutil.copytree(shared, into, dirs_exist_ok=True)

    @cache
    def first() -> list[Fault]:
        with remembered(ours.name, ours) as shared:
            return look(own, ROOT / "generated", own / "view", shared)

    @cache
    def read_client() -> None:
        with remembered("client", own) as shared, pytest.MonkeyPatch.context() as patch:
            patch.setenv("MYPY_CACHE_DIR", str(shared))
            assert list(find(ROOT / "generated", {})) == []

    def finding(fresh: Path, places: Mapping[str, str]) -> Iterator[str]:
        read_client()
        return find(fresh, places)

    def looking(root: Path, generated: Path, view: Path, memory: Path) -> list[Fault]:
        if memory == ours:
            first()
        return look(root, generated, view, memory)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(own))
        patch.setattr(type_check, "type_faults", looking)
        patch.setattr(proof, "find_type_problems", finding)
        yield first


@pytest.fixture
def _what_is_known_of_ours(
    monkeypatch: pytest.MonkeyPatch, faults_of_ours: Callable[[], list[Fault]]
) -> None:
    """Which document the client at hand was made from, and what does not fit it; finding out has tests of its own."""
    spec = ROOT / "spec"
    ours = {it.name: parse((spec / it.document).read_bytes(), it.name) for it in packages(spec)}
    monkeypatch.setattr(work, "origin", lambda *_: ours)
    known, look = faults_of_ours(), type_check.type_faults

    def looking(root: Path, generated: Path, view: Path, memory: Path) -> list[Fault]:
        return known if generated == root / "generated" else look(root, generated, view, memory)

    monkeypatch.setattr(type_check, "type_faults", looking)


@pytest.fixture(scope="session", autouse=True)
def _a_client_is_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A document that one test has made a client from gives the next one a copy of it; programs of their own make their own."""
    made: dict[bytes, Path] = {}

    def making(document: Document, spec: Path, into: Path, name: str) -> None:
        read = rules(spec)
        key = hashlib.sha256(repr((document, read, name)).encode()).digest()
        if key not in made:
            # Templates are compiled once for each folder that they are in.
            generate(document, ROOT / "spec" if read == ours else spec, into, name)
            made[key] = Path(shutil.copytree(into, tmp_path_factory.mktemp("made") / "client"))
        else:
            shutil.copytree(made[key], into)

    def rules(spec: Path) -> list[tuple[Path, bytes]]:
        found = [path for path in sorted(spec.rglob("*")) if path.is_file() and not is_of_document(path)]
        return [(path.relative_to(spec), path.read_bytes()) for path in found]

    def is_of_document(path: Path) -> bool:
        return ".openapi." in path.name or path.parent.name == "overlays"

    ours = rules(ROOT / "spec")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "prove", lambda *_: None)  # it has tests of its own
        patch.setattr(work, "generate", making)
        yield


@pytest.fixture(scope="session", autouse=True)
def _a_document_is_read_once() -> Iterator[None]:
    """What a file or an address holds is parsed once, and given anew to each that asks; programs parse it themselves."""
    known: dict[tuple[bytes, reading.Limits], str] = {}

    def parsing(content: bytes, name: str) -> Any:
        key = (content, reading.LIMITS)
        if key not in known:
            known[key] = json.dumps(parse(content, name))
        return json.loads(known[key])  # a copy, ten times as fast as one of copy.deepcopy

    with pytest.MonkeyPatch.context() as patch:
        for module in (sources, work):
            patch.setattr(module, "parse", parsing)
        yield


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A copy of spec/ and generated/, without the SDK, so that no types are checked."""
    place = tmp_path / "copy"
    for name in ("spec", "generated"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    return place


@pytest.fixture
def copy(bare: Path) -> Path:
    """A copy of all that a regeneration reads and writes."""
    shutil.copytree(ROOT / "payman_sdk", bare / "payman_sdk", ignore=shutil.ignore_patterns("__pycache__"))
    write_settings(bare)
    return bare


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """What a regeneration reads and writes for the small document: a program takes little more than its start with it.

    Beside it lies `new.yaml`, with a change that changes no client.
    """
    place = tmp_path / "small"
    shutil.copytree(ROOT / "spec", place / "spec", ignore=shutil.ignore_patterns("*.openapi.*", "overlays"))
    text = golden.DOCUMENT.read_text(encoding="utf-8")
    old = "'404': {description: No such line}"
    assert old in text
    (place / DOCUMENT).write_text(text, encoding="utf-8")
    new = text.replace(old, f"{old[:-1]}, headers: {{X-Line: {{schema: {{type: string}}}}}}}}")
    (tmp_path / "new.yaml").write_text(new, encoding="utf-8")
    for name, content in golden.recorded().items():
        file = place / "generated" / golden.RECORD.name / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return place


@pytest.fixture
def regenerate(bare: Path, capsys: pytest.CaptureFixture[str]) -> Regenerate:
    """Runs the command on the copy, without the time that a process of its own takes."""

    def run(*arguments: str | Path) -> Run:
        status = main(["--root", str(bare), *map(str, arguments)])
        out, err = capsys.readouterr()
        return Run(status, out, err)

    return run


@pytest.fixture(scope="session")
def _ours() -> Document:
    document: Document = parse((ROOT / DOCUMENT).read_bytes(), DOCUMENT)
    return document


def _change(document: Document, change: Callable[[Any], None]) -> bytes:
    if change not in _changed:
        document = copying.deepcopy(document)
        change(document)
        _changed[change] = dump_yaml(document).encode()
    return _changed[change]


_changed: dict[Callable[[Any], None], bytes] = {}


@pytest.fixture
def changed(_ours: Document, tmp_path: Path) -> Callable[[Callable[[Any], None]], Path]:
    """Gives a file with our document, after something has been changed in it."""

    def write(change: Callable[[Any], None]) -> Path:
        path = tmp_path / "new.yaml"
        path.write_bytes(_change(_ours, change))
        return path

    return write
