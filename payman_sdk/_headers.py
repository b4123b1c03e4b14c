"""Headers that a program adds to the SDK's requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from payman_sdk._refusals import refuse
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError


def read_headers(value: object, name: str) -> dict[str, str]:
    """Return headers of the program's, by their names in lower case; the values of those that open something as secrets."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        refuse(name, f"is a {type(value).__name__}", "Give a dict.")
    headers: dict[str, str] = {}
    for key, text in cast("Mapping[object, object]", value).items():
        if not isinstance(key, str) or not re.fullmatch(_HEADER_NAME, key):
            problem = "is not the name of a header"
        elif re.fullmatch(_OWN_HEADER, key):
            problem = "is a header that the SDK sets itself"
        elif not isinstance(text, str):
            problem = f"is a {type(text).__name__}"
        elif (
            not (plain := SecretStr(text).reveal()).isascii()
            or not plain.isprintable()
            or plain != plain.strip()
        ):
            problem = "holds characters that a header cannot carry: a line break, a control character, a letter outside ASCII, or surrounding space"
        else:
            headers[key.lower()] = SecretStr(plain) if re.search(_SECRET_HEADER, key) else plain
            continue
        raise ConfigurationError(
            f"{name}: {key!r} {problem}."[:300],
            next_step="Leave it out."
            if "itself" in problem
            else "Give names and values of plain ASCII text.",
        )
    return headers


_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"
_OWN_HEADER = (
    r"(?i:authorization|user-agent|host|date|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|last-event-id"
    r"|(?:accept|content|proxy|sec|x-payman)(?:-.*)?)"
)
"""What the SDK, its HTTP client or a proxy decides by."""
_SECRET_HEADER = r"(?i:auth|cookie|credential|key|pass|secret|session|sign|token)"  # noqa: S105 # names of headers
