"""Whether a server on this machine is a sandbox of this SDK.

Its address proves nothing: it may be a proxy before the live server. So it must name the port that was asked. A proxy before a
sandbox cannot, and counts as live, too.
"""

import json
from urllib.parse import urlsplit

from payman_sdk._io.clock import monotonic
from payman_sdk._url import is_loopback

IDENTITY_PATH = "/web/identity"
IDENTITY = "payman_sdk.sandbox"

_PATIENCE = 5.0
"""Seconds for the answer."""
_MOST = 1024
"""Bytes of an answer that are read."""


def is_sandbox(base_url: str) -> bool:
    """Ask a server on this machine whether it is a sandbox; all but a plain yes is a no. Other machines are not asked."""
    parts = urlsplit(base_url)
    if not is_loopback((parts.hostname or "").lower()) or parts.path.strip("/") or parts.port is None:
        return False
    import ssl

    import httpx

    end, body = monotonic() + _PATIENCE, b""
    verify = True if parts.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        with (
            httpx.Client(verify=verify, trust_env=False, timeout=_PATIENCE, follow_redirects=False) as http,
            http.stream("GET", base_url.rstrip("/") + IDENTITY_PATH) as answer,
        ):
            if answer.status_code != 200 or "content-encoding" in answer.headers:
                return False
            for piece in answer.iter_raw():
                body += piece
                if len(body) > _MOST or monotonic() > end:
                    return False
        said: object = json.loads(body)
    except (httpx.HTTPError, ValueError, OSError, RecursionError):
        return False
    return said == {"server": IDENTITY, "port": parts.port}
