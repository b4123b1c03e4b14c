"""Whether something stands in for httpx's transports: what a test has mocked must never reach a server.

pytest-httpx and vcrpy replace `handle_request` of httpx's transports. The client's own connections are not one of those, so
they look first, and leave a request to a transport of httpx's while its method is replaced. (respx replaces parts of httpcore that the
own connections use, too.) An instrumentation that only wraps the method changes nothing: it is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

_HTTPX = str(Path(httpx.__file__).parent)


class Interception:
    """Looks at one method of a class of httpx's.

    Args:
        kind: The class.
        method: The name of the method.
    """

    def __init__(self, kind: type, method: str) -> None:
        self._members = vars(kind)
        self._method = method
        self._genuine: object = None

    def is_on(self) -> bool:
        """Return whether the method is replaced at the moment."""
        found: Any = self._members[self._method]
        if found is self._genuine:
            return False
        function = found
        while type(function).__module__.partition(".")[0] == "wrapt":
            function = function.__wrapped__
        code = getattr(function, "__code__", None)
        if code is None or not code.co_filename.startswith(_HTTPX):
            return True
        self._genuine = found
        return False
