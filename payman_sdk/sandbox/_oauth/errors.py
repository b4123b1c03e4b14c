"""The errors of OAuth."""

from __future__ import annotations

import re

# RFC 6749, sections 4.1.2.1 and 5.2, allows no others in a description.
_UNSPEAKABLE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class OAuthError(Exception):
    """An error of RFC 6749, sections 4.1.2.1 and 5.2; `status` is that of its HTTP answer."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        description = _UNSPEAKABLE.sub("?", description)
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status


class ReuseError(OAuthError):
    """A single-use code or token came a second time. Its grant is revoked, and that must be saved."""
