"""How a client's requests may be carried out: types of httpx, imported where somebody evaluates an annotation."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Literal, TypeAlias

import httpx

Transport: TypeAlias = (
    httpx.BaseTransport
    | httpx.AsyncBaseTransport
    | Callable[[], httpx.BaseTransport]
    | Callable[[], httpx.AsyncBaseTransport]
    | Literal["aiohttp"]
)
"""A transport of httpx, a function that makes one, or `aiohttp` for the one that the extra of this name has."""
Verify: TypeAlias = ssl.SSLContext | str | os.PathLike[str] | bool
"""Whom to trust: a context, or a file of certificates; True for the certificates of the environment."""
