"""Environments of their own, with packages from the index, for tests of what cannot be in ours; and pytest as others run it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from filelock import FileLock
from packaging.requirements import Requirement

# How somebody runs pytest who has none of the plugins of ours that take longest to load: some seconds, in each run.
_NOT_THEIRS = (
    "randomly",
    "hypothesispytest",
    "langsmith_plugin",
    "schemathesis",
    "xdist",
    "xdist.looponfail",
)
AS_OTHERS = tuple(f"-pno:{plugin}" for plugin in ("cacheprovider", *_NOT_THEIRS))

KEPT = Path(sys.prefix) / "test-environments"

# Of the settings that a machine has for pip, these say how an index is reached; others may say to install elsewhere.
REACHING = {f"PIP_{name}" for name in ("INDEX_URL", "EXTRA_INDEX_URL", "TRUSTED_HOST", "CERT", "CLIENT_CERT")}
REACHING |= {"PIP_PROXY", "PIP_CONFIG_FILE", "PIP_CACHE_DIR"}

# What leads to an index as well, for uv alone where pip has settings of its own. Tests hide it.
_REACHING_TOO = {
    name: value
    for name, value in os.environ.items()
    if name.startswith(("SSL_CERT_", "UV_")) or name.lower().endswith("_proxy")
}

# What pip says when it gets to no index, and that this was the end of it.
OUT_OF_REACH = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
)
IN_VAIN = ("(from versions: none)", "Max retries exceeded")


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Make a folder that all workers of this run of the tests share; the first that needs it makes it. Tests leave it as it is."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    with FileLock(base / f"{name}.lock"):
        if not folder.exists():
            unfinished = factory.mktemp(name) / name
            make(unfinished)
            unfinished.rename(folder)
    return folder


def is_out_of_reach(said: str) -> bool:
    """Whether pip failed because there is no way to an index."""
    return any(word in said for word in OUT_OF_REACH) and any(word in said for word in IN_VAIN)


def empty(home: Path) -> Path:
    """The interpreter of a new environment without any packages."""
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(home)
    return _find_python(home)


def _find_python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def with_lent(home: Path, requirements: Iterable[str]) -> Path:
    """The interpreter of an environment with pip, and with what is installed here of requirements and of what these need.

    Whoever installs there something that needs more gets the rest from the index; what is lent stays as it is.
    """
    python, lent = empty(home), home / "lent"
    lent.mkdir()
    waiting, known = [Requirement(text) for text in ("pip", *requirements)], set[str]()
    while waiting:
        wanted = waiting.pop()
        try:
            found = distribution(wanted.name)
        except PackageNotFoundError:
            continue
        if str(wanted) in known or found.version not in wanted.specifier:
            continue
        known.add(str(wanted))
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            if not (lent / top).exists():
                (lent / top).symlink_to(Path(str(found.locate_file(top))))
        extras = wanted.extras or {""}
        needs = [Requirement(text) for text in found.requires or ()]
        waiting += [
            it for it in needs if not it.marker or any(it.marker.evaluate({"extra": each}) for each in extras)
        ]
    (site,) = home.rglob("site-packages")
    (site / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")
    pip = python.with_name("pip")
    pip.write_text(f'#!/bin/sh\nexec "{python}" -m pip "$@"\n', encoding="utf-8")
    pip.chmod(0o755)
    return python


def with_locked(lock: Path) -> Path:
    """The interpreter of an environment with what a lock holds; skips the test where no index is within reach.

    It is made once for each lock, beside the environment that the tests run in, and goes with that. Tests leave it as it is.
    """
    return _find_python(_keep(lock, lambda home: install_lock(empty(home), lock)))


def beside(lock: Path) -> Path:
    """A folder with what a lock holds, for the path of a program that has everything else from this environment.

    It is kept as `with_locked` keeps an environment, and what Python compiles stays in it; see there for the rest.
    """
    return _keep(lock, lambda home: install_lock(Path(sys.executable), lock, "--target", str(home)))


def _keep(lock: Path, make: Callable[[Path], None]) -> Path:
    content = hashlib.sha256(f"{sys.version}\n{lock.read_text(encoding='utf-8')}".encode()).hexdigest()
    home = KEPT / f"{lock.stem}-{content[:12]}"
    complete = home / "complete"
    KEPT.mkdir(exist_ok=True)
    with FileLock(KEPT / f"{lock.stem}.lock"):
        if not complete.exists():
            for other in KEPT.glob(f"{lock.stem}-*"):
                shutil.rmtree(other)
            make(home)
            complete.touch()
    return home


def install_lock(python: Path, lock: Path, *options: str) -> None:
    """Install what a lock holds; skips the test where no index is within reach.

    uv does it in a tenth of pip's time; where it reaches no index, pip has settings that may lead to one.
    """
    what = ["--require-hashes", "--no-deps", *options, "-r", str(lock)]
    if uv := shutil.which("uv", path=Path(sys.executable).parent):
        command = [uv, "pip", "install", "--quiet", "--python", str(python), *what]
        env = {**os.environ, **_REACHING_TOO}
        if not subprocess.run(command, capture_output=True, check=False, timeout=180, env=env).returncode:
            return
    installed = install(python, *what)
    if installed.returncode and is_out_of_reach(installed.stderr):
        pytest.skip(f"what {lock.name} holds cannot be installed: no package index is within reach")
    assert installed.returncode == 0, installed.stderr


def install(python: Path, *what: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name[:4] != "PIP_" or name in REACHING}
    options = ["--disable-pip-version-check", "--no-input", "--retries=1", "--timeout=15", "--quiet"]
    options.append("--no-compile")  # most of what is installed is never imported
    # What `pip --python` starts in its turn.
    pip = distribution("pip").locate_file("pip/__pip-runner__.py")
    return subprocess.run(
        [python, str(pip), "install", *options, *what],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**own, **environment},
        cwd=python.parent,
    )
