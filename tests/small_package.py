"""A small package that looks like ours, for the tests of the public surface: written, committed, released, changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from griffe import GitInfo

from scripts.surface.__main__ import main
from tests.environments import make_once

PACKAGE = """
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payman_sdk.client import PaymanClient
    from payman_sdk.login import login
    from payman_sdk.store import TokenStore
    from payman_sdk.errors import PaymanError
    from payman_sdk.types import Config, State
__version__ = "2.0.0"
__all__ = ["Config", "PaymanClient", "PaymanError", "State", "TokenStore", "__version__", "login"]
if not TYPE_CHECKING:
    def __getattr__(name: str) -> object:
        return getattr(import_module("payman_sdk.client"), name)
"""
CLIENT = """
from typing import Generic, Literal, TypeVar, overload
from attrs import field, frozen
Http = TypeVar("Http")
class _Shared(Generic[Http]):
    def __init__(self, config: dict | None = None, *, http_client: Http | None = None) -> None:
        self.name: str = ""
    def shared(self) -> int | None: ...
class PaymanClient(_Shared["httpx.Client"]):
    limit: int = 3
    def ask(self, text: str, options: str | None = None, *, raw: bool = False) -> str | None: ...
    @overload
    def reply(self, text: str, raw: Literal[False] = False) -> str: ...
    @overload
    def reply(self, text: str, raw: Literal[True]) -> dict: ...
    def reply(self, text: str, raw: bool = False) -> str | dict: ...
    def keywords(self, *parts: str, **rest: int) -> None: ...
    def place(self, given: str, /) -> None: ...
    @property
    def text(self) -> str | None: ...
    def __enter__(self) -> "PaymanClient": ...
    def _private(self) -> None: ...
"""
FILES = {
    "payman_sdk/__init__.py": PACKAGE,
    "payman_sdk/client.py": CLIENT,
    "payman_sdk/login.py": "def login(port: int = 0) -> None: ...\n",
    "payman_sdk/store.py": "from typing import Protocol\nclass TokenStore(Protocol):\n    def load(self) -> str: ...\n",
    "payman_sdk/errors.py": """
__all__ = ["TimedOut", "PaymanError"]
class _Trait(Exception):
    def about(self, task: str) -> None: ...
class PaymanError(_Trait):
    def __init__(self, message: str) -> None:
        self.message = message
class TimedOut(PaymanError, TimeoutError):
    late: bool = True
""",
    "payman_sdk/types.py": """
from enum import StrEnum
from typing import Literal, NotRequired, TypeAlias, TypedDict
__all__ = ["Config", "State", "Status", "Token"]
Status: TypeAlias = Literal["a", "b"]
class State(StrEnum):
    OPEN = "open"
class _Common(TypedDict, total=False):
    timeout: float
class Config(_Common, total=False):
    name: str
class Token(TypedDict):
    access: str
    refresh: NotRequired[str]
""",
    "payman_sdk/sandbox/__init__.py": """
from attrs import field, frozen
from dataclasses import dataclass
from collections.abc import Iterable
from typing import NamedTuple
__all__ = ["Kept", "Payment", "Row", "Secret"]
@dataclass(frozen=True)
class Payment:
    amount: int
    memo: str = ""
@frozen
class Kept:
    key: str
    tags: list[str] = field(factory=list)
    note: str | None = field(default=None, kw_only=True)
    _hidden: int = field(default=0, init=False)
class Row(NamedTuple):
    key: str
    count: int = 0
    @property
    def is_empty(self) -> bool: ...
class _Held(NamedTuple):
    marks: tuple[str, ...]
class Secret(_Held):
    def __new__(cls, marks: Iterable[str] = ()) -> "Secret": ...
""",
    "payman_sdk/testing/__init__.py": "",
    "payman_sdk/testing/plugin.py": """
import pytest
from collections.abc import Iterator
@pytest.fixture
def payman_sandbox() -> Iterator[int]: ...
def no_fixture() -> None: ...
""",
}


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(root), *who, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return done.stdout


def write(root: Path, announced: str = "2.1.0") -> None:
    """Write the package and its changelog, in the place of what was changed in them."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "CHANGELOG.md").write_text(f"# Changelog\n\n## [Unreleased]: {announced}\n\n## [2.0.0]\n")


def tree(root: Path, announced: str = "2.1.0") -> Path:
    """A small package that looks like ours, with its record."""
    write(root, announced)
    assert main(["--root", str(root), "--record"]) == 0
    return root


def committed(root: Path, tag: str | None = None) -> None:
    if not (root / ".git").exists():
        git(root, "init", "--quiet", "--template=")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "As it is")
    if tag:
        git(root, "tag", tag)


def changed(root: Path, old: str, new: str) -> None:
    places = [root / name for name in FILES if old in (root / name).read_text()]
    assert places, f"no file has {old!r}"
    for place in places:
        place.write_text(place.read_text().replace(old, new, 1))


def check(root: Path, *arguments: str) -> int:
    return main(["--root", str(root), *arguments])


def committed_empty(root: Path, tag: str) -> None:
    git(root, "commit", "--quiet", "--allow-empty", "--message", tag)
    git(root, "tag", tag)


@pytest.fixture
def release(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A repository whose version 2.0.0 is released: a copy of one that is made once."""
    # griffe asks git three times where a package comes from, which nobody wants to know.
    monkeypatch.setattr(GitInfo, "from_package", lambda _: None)
    made = make_once(tmp_path_factory, "released", lambda root: committed(tree(root), "v2.0.0"))
    capsys.readouterr()
    return Path(shutil.copytree(made, tmp_path, dirs_exist_ok=True))
