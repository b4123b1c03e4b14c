"""What is installed to develop, check and measure the SDK: exact versions with hashes, and nothing of it runs meanwhile."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.peers import PEERS, read_version
from scripts.lock_rules import problems, problems_of_npm, problems_of_requirements, problems_of_script

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent
HASH = "--hash=sha256:" + "0" * 64


def test_every_lock_and_script_keeps_the_rules() -> None:
    """No lock of this project holds a range, an address or a package without a hash, and no script installs past them."""
    assert problems() == []


def test_what_a_lock_for_pip_may_hold() -> None:
    """A package with an exact version and SHA-256 for every file; nothing else, however it is written."""
    good = [
        f"# a comment\nhttpx==0.28.1 \\\n    {HASH}\n",
        f"a==1 \\\n    {HASH} \\\n    {HASH}\n",
        f"a==1 ; python_version < '3.12' \\\n    {HASH}\n",
        f"typing-extensions==4.0.0rc1 \\\n    {HASH}\n",
    ]
    bad = [
        "",
        "# nothing\n",
        "httpx==0.28.1\n",
        f"httpx>=0.28.1 \\\n    {HASH}\n",
        f"httpx==0.28.* \\\n    {HASH}\n",
        f"httpx \\\n    {HASH}\n",
        f"httpx==0.28.1,<1 \\\n    {HASH}\n",
        "httpx==0.28.1 \\\n    --hash=md5:" + "0" * 32 + "\n",
        "httpx==0.28.1 \\\n    --hash=sha256:0000\n",
        f"httpx==0.28.1 \\\n    {HASH} \\\n    --hash=sha1:" + "0" * 40 + "\n",
        f"httpx @ https://files.example/httpx.whl \\\n    {HASH}\n",
        f"git+https://git.example/httpx@main \\\n    {HASH}\n",
        f"https://files.example/httpx-0.28.1.whl \\\n    {HASH}\n",
        f"./httpx-0.28.1.whl \\\n    {HASH}\n",
        f"-e . \\\n    {HASH}\n",
        f"--index-url https://index.example\na==1 \\\n    {HASH}\n",
        f"--extra-index-url https://index.example\na==1 \\\n    {HASH}\n",
        f"--find-links ./wheels\na==1 \\\n    {HASH}\n",
        f"--trusted-host index.example\na==1 \\\n    {HASH}\n",
        f"-r other.txt\na==1 \\\n    {HASH}\n",
        f"a==1 --config-settings=x=y \\\n    {HASH}\n",
        f"a==1 \\\n    {HASH}\nb==2\n",
    ]
    assert [text for text in good if list(problems_of_requirements(text))] == []
    assert [text for text in bad if not list(problems_of_requirements(text))] == []


def npm(package: dict[str, Any] | None = None, **entry: Any) -> tuple[str, str]:
    """A package.json and a lock of one package, and what is different in them."""
    wanted = {"private": True, "dependencies": {"a": "1.0.0"}, **(package or {})}
    known = {"version": "1.0.0", "integrity": f"sha512-{'A' * 86}==", **entry}
    known = {key: value for key, value in known.items() if value is not None}
    lock = {"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1.0.0"}}, "node_modules/a": known}}
    return json.dumps(wanted), json.dumps(lock)


def test_what_a_lock_for_npm_may_hold() -> None:
    """Versions with SHA-512, and no addresses; package.json asks for exactly what was locked, and runs nothing."""
    assert list(problems_of_npm(*npm())) == []
    bad = [
        npm(integrity=None),
        npm(integrity="sha1-AAAA"),
        npm(integrity="sha512-AAAA"),
        npm(version=None),
        npm(version="^1.0.0"),
        npm(version="git+ssh://git@git.example/a.git"),
        npm(resolved="https://registry.example/a.tgz"),
        npm(resolved="file:../a"),
        npm(link=True, resolved="../a"),
        npm(funding={"url": "https://a.example/pay"}),
        npm({"dependencies": {"a": "^1.0.0"}}),
        npm({"dependencies": {"a": "*"}}),
        npm({"dependencies": {"a": "latest"}}),
        npm({"dependencies": {"a": "github:b/a"}}),
        npm({"dependencies": {"a": "1.0.1"}}),
        npm({"devDependencies": {"b": ">=1"}}),
        npm({"overrides": {"b": {"c": "1.0.0"}}}),
        npm({"scripts": {"postinstall": "curl"}}),
        (npm()[0], json.dumps({"packages": {"": {"dependencies": {"a": "1.0.0"}}}})),
    ]
    assert [pair for pair in bad if not list(problems_of_npm(*pair))] == []


def test_how_a_script_may_install() -> None:
    """By hashes, or without an index; and npm runs nothing of what it installs."""
    good = [
        "pip install --require-hashes --no-deps -r a.lock",
        '"$tool/bin/pip" install --quiet --require-hashes -r a.lock',
        '"${pip[@]}" install --no-deps --no-build-isolation --editable .',
        "python -m pip install --no-index ./a.whl",
        "npm ci --prefix .spectral --ignore-scripts",
        "npm install --package-lock-only --ignore-scripts",
        "# pip install uv",
        "echo done # pip install uv",
        "apt-get install -y npm",
    ]
    bad = [
        "pip install uv",
        '"$tool/bin/pip" install --quiet uv',
        "python3 -m pip install -r requirements.txt",
        "pip3 install --upgrade pip",
        ".venv/bin/pip --quiet install \\\n  uv",
        "npm install a@1.0.0",
        "npm install --no-package-lock a",
        "npm i a",
        "npm ci",
        "npm ci --no-audit && echo --ignore-scripts",
        "npm exec a",
        "npx a",
    ]
    assert [text for text in good if list(problems_of_script(text))] == []
    assert [text for text in bad if not list(problems_of_script(text))] == []


def test_each_peer_of_the_benchmarks_has_its_lock() -> None:
    """A lock holds what its peer asks for. tests/test_bench.py shows that nothing else is installed, and by hashes."""
    for peer in PEERS:
        text = peer.lock.read_text("utf-8")
        for pin in peer.pins if peer.extras is None else ("attrs", "httpx", "python-dateutil"):
            name, _, version = pin.partition("==")
            assert f"\n{name}=={version or read_version(name)} " in text, (peer.name, pin)


def test_every_lock_of_the_benchmarks_belongs_to_a_peer() -> None:
    """A peer that is gone leaves no lock; scripts/lock makes the locks of the peers that are listed."""
    locks = {path.stem for path in (ROOT / "scripts" / "benchmarks" / "locks").iterdir()}
    assert locks == {peer.name for peer in PEERS}
    printed = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.peers"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.splitlines() == [" ".join([peer.name, *peer.list_needs()]) for peer in PEERS]
    assert "-m scripts.benchmarks.peers" in (ROOT / "scripts" / "lock").read_text("utf-8")


def test_the_sdk_installs_at_most_eleven_distributions() -> None:
    """Without extras: what its lock holds, and the SDK itself."""
    [ours] = [peer for peer in PEERS if peer.extras == ""]
    held = re.findall(r"^(\S+)==", ours.lock.read_text("utf-8"), re.MULTILINE)
    assert len(held) + 1 <= 11, held


def test_the_tool_that_locks_is_locked() -> None:
    """scripts/lock installs one tool, by its hash."""
    held = re.findall(r"^(\S+)==", (ROOT / "scripts" / "lock.requirements").read_text("utf-8"), re.MULTILINE)
    assert held == ["uv"]
    assert "-r scripts/lock.requirements" in (ROOT / "scripts" / "lock").read_text("utf-8")


def test_ci_needs_root_for_packages_of_debian_only(tmp_path: Path) -> None:
    """With the packages there, anybody runs it; without them, whoever cannot become root reads which are missing."""
    folder = tmp_path / "clone"
    (folder / ".ci").mkdir(parents=True)
    (folder / "scripts").mkdir()
    (folder / ".ci" / "run").write_text((ROOT / ".ci" / "run").read_text("utf-8"), "utf-8")
    programs = tmp_path / "bin"
    programs.mkdir()

    def program(path: Path, does: str) -> None:
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    log = tmp_path / "log"
    for name in ("regenerate", "lint", "release", "test", "coverage", "bench"):
        program(folder / "scripts" / name, f'echo "{name} $*" >> {log}')
    program(programs / "id", "echo 1000")
    program(programs / "sudo", 'if [ "$SUDO" = yes ]; then shift; [ "$1" = true ] || "$@"; else exit 1; fi')
    program(programs / "apt-get", f'echo "apt-get $1 $*" | cut -d" " -f1,2 >> {log}')
    tools = {name: Path(found) for name in ("bash", "sh", "dirname", "env", "cut") if (found := _which(name))}
    for name, place in tools.items():
        (programs / name).symlink_to(place)

    def run(**variables: str) -> tuple[int, str, list[str]]:
        log.unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", ".ci/run"],
            cwd=folder,
            env={"PATH": str(programs), **variables},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        ran = log.read_text().splitlines() if log.exists() else []
        if ran[-5:-3] == ["release ", "lint "]:  # they run at once
            ran[-5:-3] = ["lint ", "release "]
        return done.returncode, done.stderr, ran

    steps = ["regenerate --check", "lint ", "release ", "test ", "coverage ", "bench --quick"]
    status, said, done = run()
    assert (status, done) == (2, [])
    assert (
        "root has to install these packages of Debian first: nodejs npm chromium tmux varnish haproxy nginx-light"
        in said
    )
    assert run(SUDO="yes") == (0, "", ["apt-get update", "apt-get install", *steps])
    for name in ("npm", "chromium", "tmux", "varnishd", "haproxy", "nginx"):
        program(programs / name, "true")
    assert run() == (0, "", steps)
    for name in ("lint", "release"):
        passes = (folder / "scripts" / name).read_text()
        program(folder / "scripts" / name, "exit 1")
        status, _, done = run()
        assert status == 1 and "test " not in done, name
        (folder / "scripts" / name).write_text(passes)


def _which(name: str) -> str | None:
    import shutil

    return shutil.which(name, path=os.defpath)
