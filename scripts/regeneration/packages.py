"""The API documents in spec/, and the package that each of them becomes."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.regeneration.problems import RegenerationError

PRIMARY = "payman"
"""The document of the package itself; every other one becomes a package inside it."""
_SUFFIX = ".openapi.yaml"
_TAKEN = ("api", "client", "errors", "events", "models", "types")


@dataclass(frozen=True)
class Package:
    """A document and its package.

    Args:
        name: The document's name, such as `payman-rest` for `spec/payman-rest.openapi.yaml`.

    Raises:
        RegenerationError: No package can be called so.
    """

    name: str

    def __post_init__(self) -> None:
        """Check that the package's name is a name, and free."""
        if self.name != PRIMARY and (
            not self._last.isidentifier() or keyword.iskeyword(self._last) or self._last in _TAKEN
        ):
            raise RegenerationError(
                f"spec/{self.document} would become payman_api.{self._last}, which is not a free name. Rename the document."
            )

    @property
    def _last(self) -> str:
        return self.name.removeprefix(f"{PRIMARY}-").replace("-", "_")

    @property
    def document(self) -> str:
        """The name of the document's file in spec/."""
        return self.name + _SUFFIX

    @property
    def upstream(self) -> tuple[str, str]:
        """Where a document from outside is kept untouched: as YAML, as JSON."""
        stem = "upstream" if self.name == PRIMARY else f"upstream-{self.name}"
        return f"{stem}{_SUFFIX}", f"{stem}.openapi.json"

    @property
    def overlays(self) -> str:
        """The folder in spec/ with the corrections of a document from outside."""
        return "overlays" if self.name == PRIMARY else f"overlays/{self.name}"

    @property
    def folder(self) -> str:
        """The package's folder in generated/."""
        return "payman_api" if self.name == PRIMARY else f"payman_api/{self._last}"


def packages(spec: Path) -> Iterator[Package]:
    """Yield a package for each document in spec/, the primary one first; that one is given in any case."""
    yield Package(PRIMARY)
    for path in sorted(spec.glob(f"*{_SUFFIX}")):
        name = path.name.removesuffix(_SUFFIX)
        if name != PRIMARY and not name.startswith("upstream"):
            yield Package(name)
