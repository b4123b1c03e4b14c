"""The SDK's logger, and tracebacks: the words of others are one line, short, and without secrets.

The logs of the libraries that carry requests hold no secret either, and no query of a token request.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any, cast

from payman_api import PATHS
from payman_sdk._text.redaction import redact
from payman_sdk._text.sanitizer import sanitize
from payman_sdk._weak_call import WeakCall

MOST_IN_A_WARNING = 80
"""Characters of a text in a record from WARNING on, which people read without asking for it."""

_MOST = 500
"""Characters of a text in a record below that, and of an exception in a traceback."""

_MOST_ERRORS = 50
"""Exceptions that a traceback shows; groups may hold any number."""


def get_logger(name: str = "payman_sdk") -> logging.Logger:
    """Return a logger whose records pass the sanitizer."""
    logger = logging.getLogger(name)
    logger.addFilter(_SANITIZE)  # the same filter is never there twice
    return logger


def sanitize_record(record: logging.LogRecord) -> bool:
    """Escape what a record was given to show; a logging filter that lets everything pass."""
    most = _MOST if record.levelno < logging.WARNING else MOST_IN_A_WARNING
    record.msg = sanitize(str(record.msg), one_line=True, max_length=None if record.args else most)
    if isinstance(record.args, dict):
        record.args = {name: _format_value(value, most) for name, value in record.args.items()}
    elif record.args:
        record.args = tuple(_format_value(value, most) for value in record.args)
    if record.exc_info and record.exc_info[1] is not None:
        # Formatters take this instead of making their own.
        record.exc_text = format_traceback(record.exc_info[1], most)
    return True


_SANITIZE = WeakCall(sanitize_record)


class SafeFormatter(logging.Formatter):
    """Formats the records of any logger so that each message is one line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (its name there)
        return sanitize(redact(super().formatMessage(record)), one_line=True)

    def formatException(self, ei: Any) -> str:  # noqa: N802 (its name there)
        return format_traceback(ei[1])


def format_traceback(error: BaseException, max_length: int = _MOST) -> str:
    """Format an exception like Python, with each message on one line, cut, and without the values of variables."""
    lines: list[str] = []
    for heading, step in itertools.islice(_iter_chain(error), _MOST_ERRORS):
        lines += [heading, *_format_lines(step, max_length)]
    return "".join(map(sanitize, lines)).rstrip("\n")


_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def _iter_chain(error: BaseException, heading: str = "") -> Iterator[tuple[str, BaseException]]:
    """Yield the exceptions that led to one, the first of them first, each with its relation to the one before."""
    found: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and not any(step is one for one in found):
        found.append(step)
        step = step.__cause__ or (None if step.__suppress_context__ else step.__context__)
    for place, step in enumerate(reversed(found)):
        yield (heading if not place else _CAUSE if step.__cause__ else _CONTEXT), step
        if isinstance(step, BaseExceptionGroup):
            for number, part in enumerate(cast("tuple[BaseException, ...]", step.exceptions), 1):
                yield from _iter_chain(part, f"\nException {number} of the group:\n\n")


def _format_lines(error: BaseException, most: int) -> list[str]:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    said = _to_one_line(error, most)
    notes = [_to_one_line(note, most) for note in getattr(error, "__notes__", ())]
    frames = traceback.format_tb(error.__traceback__)
    head = ["Traceback (most recent call last):\n"] if frames else []
    return [*head, *frames, f"{name}: {said}\n" if said else f"{name}\n", *(f"{note}\n" for note in notes)]


def _format_value(value: Any, most: int) -> Any:
    """Return a value of a record: numbers as they are, everything else as short text."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, BaseException):
        said = _to_one_line(getattr(value, "message", None) or value, most)
        status = getattr(value, "status_code", None)
        return f"{said} [HTTP {status}]" if isinstance(status, int) else said
    return _to_one_line(value, most)


def _to_one_line(value: object, most: int) -> str:
    try:
        text = str(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose text failed with {type(error).__name__}>"
    return sanitize(redact(text), one_line=True, max_length=most)


LOG_VARIABLE = "PAYMAN_LOG"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_from_environment(environ: Mapping[str, str] = os.environ) -> None:
    """Log to standard error from the level in PAYMAN_LOG; a second call does no more.

    Without PAYMAN_LOG, logging is left as the program has it.
    """
    level = environ.get(LOG_VARIABLE, "").strip().lower()
    logger = get_logger()
    if not level or any(isinstance(handler, _EnvironmentHandler) for handler in logger.handlers):
        return
    if level not in _LEVELS:
        logger.warning("%s is %r; known are %s.", LOG_VARIABLE, level, ", ".join(_LEVELS))
        return
    handler = _EnvironmentHandler()
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(_LEVELS[level])


class _EnvironmentHandler(logging.StreamHandler[Any]):
    """Writes to whatever standard error is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


_LIBRARIES = (
    *("httpx", "httpcore", "hpack", "h2", "h11", "aiohttp", "httpx_aiohttp"),
    *("httpx2", "httpcore2", "urllib3"),
)
"""Whose loggers may say what is sent and received."""
_KNOWN = (
    *("httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks"),
    *("hpack.hpack", "hpack.table", "aiohttp.client"),
)
"""Their loggers, in case they are imported later: a filter holds for one logger only."""
_QUERY = rf"({re.escape(PATHS['create_token'])})\?[^\s\"'<>]*"


def install_log_redaction() -> None:
    """Have the loggers of the libraries that carry requests redact secrets; a second call does no more.

    Token requests carry their secrets in the query [D]. At INFO, httpx logs the URL of every request. At DEBUG, httpcore logs a
    server's answer, which may repeat a secret.
    """
    for name in (*_LIBRARIES, *_KNOWN, *logging.root.manager.loggerDict):
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).addFilter(_REDACT)


def _redact_record(record: logging.LogRecord) -> bool:
    has_numbers_only = isinstance(record.args, tuple) and all(isinstance(one, int) for one in record.args)
    if record.name.startswith("hpack") and not has_numbers_only:
        # It writes header blocks down in the code of HTTP/2, in which nothing can be found.
        record.args = None
        record.msg = str(record.msg).partition("%")[0] + "…"
        return True
    try:
        said = record.getMessage()
    except Exception:  # arguments that do not fit; logging says so
        return True
    shown = redact(re.sub(_QUERY, r"\1?…", said))
    if shown != said:
        record.msg, record.args = shown, None
    return True


_REDACT = WeakCall(_redact_record)
