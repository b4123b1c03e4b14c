"""Look for secrets in the files of the project, without a network.

`scripts/lint` runs it on every file that git knows or would add. It prints the place and the kind of what it finds, never the
secret, and exits with 1 then. A line that has to hold what looks like a secret ends in `pragma: allowlist secret`.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.keyword import KeywordDetector
from detect_secrets.settings import default_settings

from scripts.git import run_git

ROOT = Path(__file__).parent.parent

_HASHES = re.compile(r"(?:^|/)(?:[^/]+\.lock|lock\.requirements|npm-shrinkwrap\.json)$")
"""Files of versions and hashes. `scripts.lock_rules` reads every line of them."""

_WORD = "(?:[A-Z]?[a-z]{1,14}|[A-Z]{1,14})"
_WORDS = re.compile(rf"{_WORD}(?:[-_ /]{_WORD})*/?")
_PROSE = re.compile(r"\S+(?:\s+\S+){4,}")
_MADE_UP = re.compile(r"s3cr[e3]t|hunted-|hunter2|p%40ss|\{[A-Z_]+\}", re.IGNORECASE)
_PUBLISHED = (
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",  # RFC 7636, appendix B  # pragma: allowlist secret
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # pragma: allowlist secret
)

_BY_NAME = [f"detect_secrets.filters.heuristic.is_{kind}_file" for kind in ("lock", "swagger")]
"""Filters that would leave out whole files. The other usual ones look at what is found, and none of them asks a network."""


def is_made_up(secret: str, plugin: BasePlugin) -> bool:
    """Whether a secret is an example: published in a standard, or, after a name such as `password`, words or a spelling of tests."""
    if any(known in secret for known in _PUBLISHED):
        return True
    if not isinstance(plugin, KeywordDetector | BasicAuthDetector):
        return False
    return bool(_WORDS.fullmatch(secret) or _PROSE.fullmatch(secret.strip()) or _MADE_UP.search(secret))


def find_secrets(paths: Iterable[Path], root: Path = ROOT) -> list[str]:
    """Return the place and the kind of every secret in files."""
    found = SecretsCollection(root=str(root))
    with default_settings() as settings:
        settings.disable_filters(*_BY_NAME)
        settings.filters[f"{__package__}.secret_scan.is_made_up"] = {}
        found.scan_files(*(str(path.relative_to(root)) for path in paths))
    return sorted(f"{name}:{secret.line_number}: {secret.type}" for name, secret in found)


def tracked_files() -> list[Path]:
    """Return the files that git knows or would add, but for those that hold hashes. The scan leaves out images."""
    names = run_git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0")
    paths = [ROOT / name for name in names if name and not _HASHES.search(name)]
    return [path for path in paths if path.is_file()]


if __name__ == "__main__":
    said = find_secrets(tracked_files())
    print("\n".join(said))
    sys.exit(bool(said))
