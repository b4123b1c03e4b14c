"""Keeps secrets out of the log records of others.

Token requests carry their secrets in the query [D], and httpx logs the address of every request at INFO.
"""

from __future__ import annotations

import logging

from payman_api import PATHS


def hide_token_requests() -> None:
    """Makes httpx's log records of token requests show no query; does nothing the second time."""
    logging.getLogger("httpx").addFilter(_hide_query)


def _hide_query(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(_without_query(argument) for argument in record.args)
    return True


def _without_query(argument: object) -> object:
    text = str(argument) if type(argument).__name__ == "URL" or isinstance(argument, str) else ""
    address, question_mark, _ = text.partition("?")
    if question_mark and address.endswith(PATHS["create_token"]):
        return f"{address}?…"
    return argument
