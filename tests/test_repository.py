"""The files around the code: workflows call the project's scripts, and every list names what exists."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = {path.stem: path for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def find_steps(name: str) -> list[dict[str, Any]]:
    return [step for job in read_yaml(WORKFLOWS[name])["jobs"].values() for step in job["steps"]]


def test_workflows_run_scripts_that_exist() -> None:
    """Each job runs the project's own scripts, and every script that it names can be run."""
    for name in WORKFLOWS:
        commands = " ".join(step.get("run", "") for step in find_steps(name))
        scripts = re.findall(r"(?:^|\s)((?:scripts|\.ci)/\w+)", commands)
        assert scripts, name
        assert all(os.access(ROOT / script, os.X_OK) for script in scripts), name
    assert set(WORKFLOWS) == {"test", "lint", "docs", "release"}


def test_workflows_have_few_rights() -> None:
    """A workflow reads by default; only the release may write, and only what it needs."""
    for name, path in WORKFLOWS.items():
        workflow = read_yaml(path)
        assert workflow["permissions"] == {"contents": "read"}, name
        for job in workflow["jobs"].values():
            granted = set(job.get("permissions", {"contents": "read"}).items()) - {("contents", "read")}
            assert not granted or name == "release", name
        for step in find_steps(name):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name


def test_matrix_and_classifiers_name_the_same_pythons() -> None:
    """Every Python that the package claims is tested, on three systems."""
    matrix = read_yaml(WORKFLOWS["test"])["jobs"]["test"]["strategy"]["matrix"]
    claimed = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    assert matrix["python"] == claimed
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_jobs_on_windows_run_bash() -> None:
    """Scripts are Bash: a job that may run on Windows says so, and a checkout there keeps their line ends."""
    for name in WORKFLOWS:
        for job in read_yaml(WORKFLOWS[name])["jobs"].values():
            systems = [job["runs-on"], *job.get("strategy", {}).get("matrix", {}).get("os", [])]
            if any("windows" in system for system in systems):
                assert job["defaults"]["run"]["shell"] == "bash", name
    assert "* text=auto eol=lf" in (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()


def test_pre_commit_runs_checks_of_lint() -> None:
    """Each hook before a commit is a check of scripts/lint, by the same name; all of it runs before a push."""
    lint = (ROOT / "scripts" / "lint").read_text(encoding="utf-8")
    checks = dict(re.findall(r'^check "([^"]+)" \$bin/(.*)$', lint, re.MULTILINE))
    config = read_yaml(ROOT / ".pre-commit-config.yaml")
    [repository] = config["repos"]
    *quick, whole = repository["hooks"]
    assert (whole["entry"], whole["stages"]) == ("bash scripts/lint", ["pre-push"])
    assert "pre-push" in config["default_install_hook_types"]
    for hook in quick:
        command = hook["entry"].removeprefix(".venv/bin/")
        assert checks[hook["name"]].startswith(command.partition(" --")[0]), hook


def test_templates_and_links() -> None:
    """Issue forms are valid, and the package's links lead into this repository."""
    for form in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        for part in read_yaml(form).get("body", []):
            assert part["type"] in {"markdown", "textarea", "dropdown"}, form
            assert part["attributes"].get("label") or part["attributes"].get("value"), form
    for address in PROJECT["urls"].values():
        found = re.fullmatch(
            r"https://github\.com/payman-ai/payman-sdk-python(?:/blob/main/(.+)|/\S+)?", address
        )
        assert found, address
        assert found[1] is None or (ROOT / found[1]).exists(), address


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="programs are imitated by shell scripts")
def test_a_lock_is_installed_by_pip_where_uv_reaches_no_index(tmp_path: Path) -> None:
    """Both take what the lock holds and nothing else; what neither can install is a failure."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for failing, ran, code in (
        ((), ["uv"], 0),
        (("uv",), ["uv", "python"], 0),
        (("uv", "python"), ["uv", "python"], 1),
    ):
        for name in ("uv", "python"):
            (programs / name).write_text(
                f'#!/bin/sh\necho {name} "$@" >> said\nexit {int(name in failing)}\n'
            )
            (programs / name).chmod(0o755)
        (tmp_path / "said").unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", "-euc", f"source {ROOT}/scripts/environments.sh; install_lock .made a.lock"],
            cwd=tmp_path,
            check=False,
        )
        said = (tmp_path / "said").read_text().splitlines()
        assert ([line.split()[0] for line in said], done.returncode) == (ran, code)
        for line in said:
            assert " --python .made " in line and line.endswith(
                "--require-hashes --no-deps --only-binary :all: -r a.lock"
            )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a Windows shell is imitated")
def test_environments_of_windows_get_a_folder_bin(tmp_path: Path) -> None:
    """Where programs are in Scripts, the shell scripts link them as bin."""
    (tmp_path / ".venv" / "Scripts").mkdir(parents=True)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "cmd").write_text('#!/bin/sh\nprintf "%s\\n" "$*" > "$CALLED"\n')
    (tools / "cmd").chmod(0o755)
    subprocess.run(
        ["bash", "-euc", f"source {ROOT}/scripts/environments.sh; link_programs .venv"],
        cwd=tmp_path,
        env={"PATH": f"{tools}:{os.environ['PATH']}", "CALLED": str(tmp_path / "called")},
        check=True,
    )
    assert (tmp_path / "called").read_text() == "//c mklink //J .venv\\bin .venv\\Scripts\n"


def test_no_pattern_depends_on_a_patch_release() -> None:
    """Early releases of Python 3.11 miss matches of `(…)*+` and `(?>…)`; a repeated set of characters is safe."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "payman_sdk").rglob("*.py"))]
    patterns = [
        re.sub(r"\[(?:\\.|[^]])*\]", "x", node.value)  # without sets of characters
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [one for one in patterns if re.search(r"\(\?>|\)(?:[*+?]|\{[\d,]+\})\+", one)] == []
