"""One cassette in use: the secrets and ids that vcrpy meets while it records or plays."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from payman_sdk._io.forks import StepLock
from payman_sdk.testing._redaction.request_matching import IdMap, RequestContent, is_played, measure_likeness
from payman_sdk.testing._redaction.scrubber import Scrubber

_FAR: Final = 1000  # another method or path is further away than any number of members


class CassetteState:
    """What is known while one cassette is recorded or played: its secrets, and which ids stand for which."""

    def __init__(self, scrubber: Scrubber) -> None:
        self.scrubber = scrubber
        self.is_used = False
        self.is_loaded = False
        self._ids = IdMap(scrubber.new_placeholders)
        self._recorded: list[Any] = []
        self._steps = StepLock()  # clients in threads share a cassette

    def scrub_request(self, request: Any) -> Any:
        """Return a request without secrets, changed in its place: vcrpy gives a copy."""
        with self._steps.lock:
            self.is_used = True
            content_type = str(request.headers.get("content-type", ""))
            request.uri = self.scrubber.scrub_uri(request.uri)
            request.headers = self.scrubber.scrub_headers(request.headers)
            if isinstance(request.body, bytes):
                request.body = self.scrubber.scrub_body(request.body, content_type)
            if _is_from_file(request):
                self._recorded.append(request)
        return request

    def scrub_response(self, response: dict[str, Any]) -> dict[str, Any]:
        """Return an answer without secrets, which is played with the ids of the live request."""
        with self._steps.lock, self.scrubber.reading_answer():
            self.is_used = True
            if not isinstance(response.get("body"), dict):
                return response  # as vcrpy wrote it years ago; it is hunted through before it is saved again
            headers = {name.lower(): value for name, value in response["headers"].items()}
            content_type = ", ".join(headers.get("content-type", []))
            body = response["body"].get("string")
            if isinstance(body, str):
                body = body.encode()
            if isinstance(body, bytes):
                body = self.scrubber.scrub_body(body, content_type)
            return {
                **response,
                "headers": self.scrubber.scrub_headers(response["headers"]),
                "body": _TranslatedBody({**response["body"], "string": body}, self._translate),
            }

    def match_requests(self, live: Any, recorded: Any) -> list[str]:
        """How a live request differs from a recorded one; if it does not, their ids stand for each other from now on."""
        with self._steps.lock:
            self.is_used = True
            if self.is_loaded and not _is_from_file(recorded):
                return ["this run recorded it, and does not replay its own recordings"]
            found = self._ids.match_requests(_get_content(recorded), _get_content(live))
            return ["it was played before, for another request", *found] if is_played(found) else found

    def is_nearest(self, live: Any, recorded: Any) -> bool:
        """Whether no other recorded request is nearer to a live one, so that a miss names that one alone."""
        with self._steps.lock:
            distance = self._measure_distance(live, recorded)
            if not distance:
                return True
            # vcrpy compares one copy of a request with everything that was recorded.
            if not hasattr(live, "_payman_distance"):
                live._payman_distance = min(
                    (self._measure_distance(live, other) for other in self._recorded), default=0
                )
            if distance > live._payman_distance:
                return False
            if not hasattr(live, "_payman_likeness"):
                live._payman_likeness = max(
                    measure_likeness(_get_content(other), _get_content(live))
                    for other in self._recorded
                    if self._measure_distance(live, other) == distance
                )
            return bool(measure_likeness(_get_content(recorded), _get_content(live)) >= live._payman_likeness)

    def _measure_distance(self, live: Any, recorded: Any) -> int:
        one, other = _get_content(recorded), _get_content(live)
        is_elsewhere = (one.method, one.path) != (other.method, other.path)
        found = self._ids.find_differences(one, other)
        # That it was played already, to another request, is the smallest difference there is.
        unplayed = [line for line in found if not is_played([line])]
        return 2 * len(unplayed) + (len(unplayed) < len(found)) + (_FAR if is_elsewhere else 0)

    def _translate(self, body: bytes) -> bytes:
        with self._steps.lock:
            return self._ids.translate(body)


class _TranslatedBody(dict[str, Any]):
    """The body of a recorded answer: who reads its string gets the ids that the live requests have at that moment."""

    def __init__(self, body: Mapping[str, Any], translated: Callable[[bytes], bytes]) -> None:
        super().__init__(body)
        self._translate = translated

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return self._translate(value) if name == "string" and isinstance(value, bytes) else value

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]  # which dict.get does not ask
        except KeyError:
            return default

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return dict(self)


def mark_as_from_file(request: Any) -> None:
    """Note that a request was recorded in an earlier run: only such a one is played."""
    request._payman_is_from_file = True


def _is_from_file(request: Any) -> bool:
    return bool(getattr(request, "_payman_is_from_file", False))


def _get_content(request: Any) -> RequestContent:
    """Return what a request means, worked out once; vcrpy keeps the objects that it compares."""
    if not hasattr(request, "_payman_meaning"):
        body = request.body if isinstance(request.body, bytes) else None
        request._payman_meaning = RequestContent.from_request(
            request.method, request.uri, request.headers, body
        )
    return cast("RequestContent", request._payman_meaning)
