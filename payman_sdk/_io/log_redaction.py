"""What the libraries that carry requests may log: no secret, and no query of a token request."""

from __future__ import annotations

import logging
import re

from payman_api import PATHS
from payman_sdk._text.redaction import redact

_LIBRARIES = (
    "httpx",
    "httpcore",
    "hpack",
    "h2",
    "h11",
    "aiohttp",
    "httpx_aiohttp",
    "httpx2",
    "httpcore2",
    "urllib3",
)
"""Whose loggers may say what is sent and received."""
_KNOWN = (
    *("httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks"),
    *("hpack.hpack", "hpack.table", "aiohttp.client"),
)
"""Their loggers, in case they are imported later: a filter holds for one logger, and not for those under it."""
_QUERY = re.compile(rf"({re.escape(PATHS['create_token'])})\?[^\s\"'<>]*")


def install_log_redaction() -> None:
    """Have the loggers of the libraries that carry requests redact what they say; done twice, it does no more.

    Token requests carry their secrets in the query [D]. The logger of httpx records the URL of every request at INFO. That of
    httpcore records a server's answer at DEBUG, which may repeat a secret.
    """
    for name in (*_LIBRARIES, *_KNOWN, *logging.root.manager.loggerDict):
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).addFilter(_redact_record)


def _redact_record(record: logging.LogRecord) -> bool:
    if record.name.startswith("hpack") and not _has_numbers_only(record):
        # It writes header blocks down in the code of HTTP/2, in which nothing can be found.
        record.args = None
        record.msg = str(record.msg).partition("%")[0] + "…"
        return True
    try:
        said = record.getMessage()
    except Exception:  # arguments that do not fit; logging says so
        return True
    shown = redact(_QUERY.sub(r"\1?…", said))
    if shown != said:
        record.msg, record.args = shown, None
    return True


def _has_numbers_only(record: logging.LogRecord) -> bool:
    return isinstance(record.args, tuple) and all(isinstance(argument, int) for argument in record.args)
