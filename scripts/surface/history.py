"""What the surface is compared with, and which version comes next: what git and the changelog say."""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from scripts.git import export, run_git
from scripts.surface.facts import Fact
from scripts.surface.reading import UnreadableError, facts_of

Version = tuple[int, ...]

_HEADING = re.compile(r"^## \[([^]]*)\](?::\s*(\S+))?", re.MULTILINE)
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


class Baseline(NamedTuple):
    """What programs were told they may rely on.

    Args:
        name: Where that is, for messages.
        version: The version that was published with it, or before it.
        facts: What there was.
        is_shallow: Whether the clone has not the whole history, so that releases may be missing.
    """

    name: str
    version: Version
    facts: list[Fact]
    is_shallow: bool = False


class NoBaselineError(Exception):
    """There is nothing to compare with; the message says why."""


def next_version(changelog: str) -> Version | None:
    """The version that the changelog announces: that of its first heading which names one."""
    for heading in _HEADING.finditer(changelog):
        if found := _NUMBERS.match(heading[2] or heading[1]):
            return tuple(map(int, found.groups()))
    return None


def baseline(root: Path) -> Baseline:
    """The newest release among the ancestors of HEAD; where there is none, HEAD.

    Raises:
        NoBaselineError: No git, no repository here, no commit, or no package in it.
    """
    try:
        said = run_git(root, "rev-parse", "--is-shallow-repository", "--show-toplevel").decode()
        is_shallow, _, top = said.rstrip("\n").partition("\n")
        if Path(top).resolve() != root.resolve():
            raise NoBaselineError("this folder is no git repository")
        tags = run_git(root, "tag", "--merged", "HEAD", "--list", "v*").decode().split()
    except FileNotFoundError as error:
        raise NoBaselineError("git is not installed") from error
    except subprocess.CalledProcessError as error:
        raise NoBaselineError("this folder is no git repository, or one without a commit") from error
    # A pre-release promises nothing, so it is nothing to compare with.
    releases = {tuple(map(int, found.groups())): tag for tag in tags if (found := _NUMBERS.fullmatch(tag))}
    version = max(releases, default=(1, 0, 8))  # the last that was published before there were tags here
    tag = releases.get(version)
    with tempfile.TemporaryDirectory(prefix="payman-surface-") as folder:
        # `griffe.load_git` would leave a worktree and a branch in the repository meanwhile.
        export(root, Path(folder), tag or "HEAD")
        try:
            facts = facts_of(Path(folder))
        except UnreadableError as error:
            raise NoBaselineError(f"{tag or 'HEAD'} has no code that can be read") from error
    return Baseline(tag or "the last commit", version, facts, is_shallow == "true")
