"""The files of a release, and what keeps one back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.distribution import build as building
from scripts.distribution.__main__ import main, problems
from scripts.distribution.build import LOCKS, Checkout, IrreproducibleError, build, write_materials

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent
TODAY = dt.date(2026, 3, 1)
PROJECT = """[build-system]
requires = ["poetry-core>=2.0"]
build-backend = "poetry.core.masonry.api"

[project]
name = "paymanai-sdk"
version = "{version}"
description = "A small one."
requires-python = ">=3.11"

[project.urls]
Repository = "https://git.example/payman-sdk"

[tool.poetry]
packages = [{{ include = "payman_sdk" }}]
"""


def git(root: Path, *arguments: str) -> None:
    identity = [
        "-c",
        "user.name=Nobody",
        "-c",
        "user.email=nobody@example.invalid",
        "-c",
        "commit.gpgsign=false",
    ]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A small project that is ready to be released."""
    root = tmp_path / "checkout"
    (root / "payman_sdk").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PROJECT.format(version="2.0.0"))
    (root / "payman_sdk" / "_version.py").write_text('__version__ = "2.0.0"\n')
    (root / "CHANGELOG.md").write_text("# Changelog\n\n## [2.0.0] - 2026-02-28\n\n## [1.0.8] - 2025-01-01\n")
    for name in LOCKS:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("# a lock\n")
    git(root, "init", "-q")
    commit(root)
    git(root, "tag", "-a", "v2.0.0", "-m", "2.0.0")
    return Checkout(root)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "Change it")


def write(name: str, text: str) -> Callable[[Path], None]:
    """A change of a file that is committed, and tagged."""

    def change(root: Path) -> None:
        (root / name).write_text(text)
        commit(root)
        git(root, "tag", "-f", "v2.0.0")

    return change


def version(written: str) -> Callable[[Path], None]:
    return write("pyproject.toml", PROJECT.format(version=written))


def branch(root: Path) -> None:
    git(root, "tag", "-d", "v2.0.0")
    git(root, "branch", "v2.0.0")


def edit(root: Path) -> None:
    (root / "CHANGELOG.md").write_text("## [2.0.0] - 2026-02-28\n")


CHANGES: list[tuple[str, Callable[[Path], None], str]] = [
    ("a version of development", version("2.0.0.dev0"), "2.0.0.dev0 is a version that is never released"),
    ("a local version", version("2.0.0+mine"), "2.0.0+mine is a version that is never released"),
    ("a version of two numbers", version("2.0"), "2.0 is a version that is never released"),
    ("a package of another version", version("2.0.1"), "payman_sdk.__version__ is 2.0.0, and"),
    ("a package without a version", write("payman_sdk/_version.py", ""), "payman_sdk.__version__ is missing"),
    (
        "no changelog for it",
        write("CHANGELOG.md", "## [1.0.8] - 2025-01-01\n"),
        "begins with 1.0.8, not with 2.0.0",
    ),
    ("an empty changelog", write("CHANGELOG.md", ""), "begins with no version"),
    (
        "what is unreleased",
        write("CHANGELOG.md", "## [Unreleased]\n## [2.0.0] - 2026-01-01\n"),
        "begins with Unreleased",
    ),
    ("no date", write("CHANGELOG.md", "## [2.0.0]\n"), "has no date for 2.0.0"),
    ("no such day", write("CHANGELOG.md", "## [2.0.0] - 2026-02-30\n"), "has no date for 2.0.0"),
    ("a day to come", write("CHANGELOG.md", "## [2.0.0] - 2026-03-02\n"), "which is still to come"),
    ("no tag", lambda root: git(root, "tag", "-d", "v2.0.0"), "the tag v2.0.0 is missing"),
    ("a branch of that name", branch, "the tag v2.0.0 is missing"),
    ("a tag of an earlier commit", commit, "the tag v2.0.0 names"),
    ("a change", edit, "not committed:  M CHANGELOG.md"),
    ("a file that git does not know", lambda root: (root / "new.py").touch(), "not committed: ?? new.py"),
]


def test_what_keeps_a_release_back(checkout: Checkout) -> None:
    """Version, package, changelog, tag and files have to agree; each disagreement is named."""
    assert list(problems(checkout, TODAY)) == []
    wrong = []
    for what, change, said in CHANGES:
        git(checkout.root, "branch", "-f", "ready")
        change(checkout.root)
        found = list(problems(checkout, TODAY))
        if not any(said in problem for problem in found):
            wrong.append((what, found))
        git(checkout.root, "reset", "-q", "--hard", "ready")
        git(checkout.root, "clean", "-qfd")
        subprocess.run(["git", "branch", "-D", "v2.0.0"], cwd=checkout.root, capture_output=True, check=False)
        git(checkout.root, "tag", "-f", "v2.0.0")
    assert wrong == []
    assert list(problems(checkout, TODAY)) == []


def test_a_build_is_of_the_commit_and_gives_the_same_bytes(checkout: Checkout, tmp_path: Path) -> None:
    """What lies beside the commit goes into neither file, and a second build on another machine gives the same."""
    (checkout.root / "payman_sdk" / "secret.py").write_text("KEY = 1\n")
    (checkout.root / "payman_sdk" / "__init__.py").write_text("changed\n")
    wheel, source = sorted(build(checkout, tmp_path / "one"), key=lambda file: file.suffix, reverse=True)
    again = build(checkout, tmp_path / "two")
    assert {file.name: file.read_bytes() for file in (wheel, source)} == {
        file.name: file.read_bytes() for file in again
    }
    with zipfile.ZipFile(wheel) as files:
        assert "payman_sdk/secret.py" not in files.namelist()
        assert files.read("payman_sdk/_version.py") == b'__version__ = "2.0.0"\n'
    with tarfile.open(source) as files:
        assert not any("secret" in name for name in files.getnames())


def build_at_once(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """Let each build write a file with the value of an expression, which takes a tenth of the time."""
    program = f"import os, sys; open(sys.argv[1] + '/a.whl', 'w').write({content})"
    monkeypatch.setattr(building, "_BUILD", program)


def test_builds_that_differ_are_refused(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build that depends on the machine gives no files."""
    build_at_once(monkeypatch, "os.environ['TZ']")
    with pytest.raises(IrreproducibleError, match=r"two builds differ: a\.whl"):
        build(checkout, tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


@pytest.fixture
def cyclonedx(tmp_path: Path) -> Path:
    """A program in place of cyclonedx-py, which knows one package."""
    program = tmp_path / "cyclonedx-py"
    program.write_text(
        '#!/bin/sh\necho \'{"bomFormat": "CycloneDX", "components": [{"name": "attrs", "description": "line 1"}]}\'\n'
    )
    program.chmod(0o700)
    return program


def test_a_release_is_written_and_described(
    checkout: Checkout,
    cyclonedx: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is written unless it is asked for; then each file is there, named in the sums and in the provenance."""
    lock = checkout.root / "scripts" / "benchmarks" / "locks" / "ours.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("attrs==1 \\\n")
    (checkout.root / "CHANGELOG.md").write_text("## [2.0.0] - 2020-01-01\n")
    commit(checkout.root)
    out = tmp_path / "dist"
    arguments = ["--cyclonedx", str(cyclonedx), "--out", str(out)]
    with monkeypatch.context() as patch:
        build_at_once(patch, "'what is thrown away'")
        assert main(arguments, checkout.root) == 0
    assert "not ready: the tag v2.0.0 names" in capsys.readouterr().out
    assert not out.exists()
    assert main([*arguments, "--no-dry-run"], checkout.root) == 2
    assert not out.exists()
    git(checkout.root, "tag", "-f", "v2.0.0")
    assert main([*arguments, "--no-dry-run"], checkout.root) == 0
    names = {file.name for file in out.iterdir()}
    stem = "paymanai_sdk-2.0.0"
    described = {f"{stem}-py3-none-any.whl", f"{stem}.tar.gz", f"{stem}.cdx.json"}
    assert names == described | {f"{stem}.intoto.json", "SHA256SUMS"}
    sums = dict(line.split("  ")[::-1] for line in (out / "SHA256SUMS").read_text().splitlines())
    assert sums == {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names - {"SHA256SUMS"}
    }
    statement = json.loads((out / f"{stem}.intoto.json").read_text())
    assert (statement["_type"], statement["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://slsa.dev/provenance/v1",
    )
    assert {each["name"]: each["digest"]["sha256"] for each in statement["subject"]} == {
        name: sums[name] for name in described
    }
    source = statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert source == {
        "uri": "git+https://git.example/payman-sdk@refs/tags/v2.0.0",
        "digest": {"gitCommit": checkout.commit},
    }
    assert json.loads((out / f"{stem}.cdx.json").read_text())["components"] == [
        {"name": "attrs", "scope": "required"}
    ]


def test_a_tool_that_fails_is_named(
    checkout: Checkout, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program for the bill of materials says is shown, and nothing is written."""
    build_at_once(monkeypatch, "'a wheel'")
    program = tmp_path / "cyclonedx-py"
    program.write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    program.chmod(0o700)
    assert main(["--cyclonedx", str(program)], checkout.root) == 1
    assert "out of order" in capsys.readouterr().err


def test_the_bill_of_materials_of_this_project(tmp_path: Path) -> None:
    """It is CycloneDX, and names what the SDK and its extras need, with hashes and scopes, and nothing of development."""
    program = ROOT / ".release" / "bin" / "cyclonedx-py"
    if not program.exists():
        pytest.skip("scripts/release has not been run here, which installs the tool")
    file = tmp_path / "materials.json"
    write_materials(ROOT, file, program, 1_700_000_000)
    materials = json.loads(file.read_bytes())
    assert (materials["bomFormat"], materials["specVersion"]) == ("CycloneDX", "1.6")
    assert materials["metadata"]["component"]["name"] == "paymanai-sdk"
    components = {component["name"]: component for component in materials["components"]}
    required = {name for name, component in components.items() if component["scope"] == "required"}
    assert {"attrs", "httpx", "httpcore", "python-dateutil", "anyio", "certifi"} <= required
    assert {"redis", "keyring", "mcp", "uvicorn"} <= components.keys() - required
    assert "pytest-xdist" not in components
    for name, component in components.items():
        assert component["purl"].startswith(f"pkg:pypi/{name}@{component['version']}")
        assert all(hashed["alg"] == "SHA-256" for hashed in component["externalReferences"][0]["hashes"])
