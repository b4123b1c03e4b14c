"""Look for secrets in the files of the project, without a network.

`scripts/lint` runs it on every file that git knows or would add. It prints the place and the kind of what it finds, never the
secret, and exits with 1 then. A line that has to hold what looks like a secret ends in `pragma: allowlist secret`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.plugins.base import BasePlugin
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.keyword import KeywordDetector
from detect_secrets.settings import transient_settings

from scripts.git import run_git

ROOT = Path(__file__).parent.parent

_HASHES = re.compile(r"(?:^|/)(?:[^/]+\.lock|lock\.requirements|npm-shrinkwrap\.json)$")
"""Files of versions and hashes. `scripts.lock_rules` reads every line of them."""
_IMAGES = (".gif", ".ico", ".jpg", ".png", ".woff2")

_WORD = "(?:[A-Z]?[a-z]{1,14}|[A-Z]{1,14})"
_WORDS = re.compile(rf"{_WORD}(?:[-_ /]{_WORD})*/?")
_PROSE = re.compile(r"\S+(?:\s+\S+){4,}")
_MADE_UP = re.compile(r"s3cr[e3]t|hunted-|hunter2|p%40ss|\{[A-Z_]+\}", re.IGNORECASE)
_PUBLISHED = (
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",  # RFC 7636, appendix B  # pragma: allowlist secret
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # pragma: allowlist secret
)

_HEURISTICS = (
    *("is_indirect_reference", "is_likely_id_string", "is_not_alphanumeric_string", "is_potential_uuid"),
    *("is_prefixed_with_dollar_sign", "is_sequential_string", "is_templated_secret"),
)
_FILTERS = (
    "detect_secrets.filters.allowlist.is_line_allowlisted",
    *(f"detect_secrets.filters.heuristic.{name}" for name in _HEURISTICS),
    f"{__package__}.secret_scan.is_made_up",
)
"""What decides that a find is not a secret. None of them asks a network, as verification would."""


def is_made_up(secret: str, plugin: BasePlugin) -> bool:
    """Whether a secret is an example: published in a standard, or, after a name such as `password`, words or a spelling of tests."""
    if any(known in secret for known in _PUBLISHED):
        return True
    if not isinstance(plugin, KeywordDetector | BasicAuthDetector):
        return False
    return bool(_WORDS.fullmatch(secret) or _PROSE.fullmatch(secret.strip()) or _MADE_UP.search(secret))


def find_secrets(paths: Iterable[Path], root: Path = ROOT) -> list[str]:
    """Return the place and the kind of every secret in files."""
    kinds: Iterable[type[BasePlugin]] = get_mapping_from_secret_type_to_class().values()
    plugins = [{"name": kind.__name__} for kind in kinds]
    found = SecretsCollection(root=str(root))
    with transient_settings({"plugins_used": plugins, "filters_used": [{"path": path} for path in _FILTERS]}):
        found.scan_files(*(str(path.relative_to(root)) for path in paths))
    return sorted(f"{name}:{secret.line_number}: {secret.type}" for name, secret in found)


def tracked_files() -> list[Path]:
    """Return the files that git knows or would add, but for those that hold hashes or images."""
    names = run_git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0")
    paths = [ROOT / name for name in names if name and not _HASHES.search(name)]
    return [path for path in paths if path.suffix not in _IMAGES and path.is_file()]


if __name__ == "__main__":
    said = find_secrets(tracked_files())
    print("\n".join(said))
    sys.exit(bool(said))
