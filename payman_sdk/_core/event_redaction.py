"""The events of a stream, without the secrets that a server may repeat in them."""

from __future__ import annotations

from payman_sdk._core.answer_scan import AnswerScan
from payman_sdk._core.sse import EventTooLargeError, ServerSentEvent, SSEDecoder
from payman_sdk._core.wire_json import is_excessive
from payman_sdk._secrets import SecretStr
from payman_sdk._text.redaction import redact

_LARGE = 1024 * 1024
"""Characters that an event may have without being looked through. Only the first one with a piece may be larger than it."""


class RedactingDecoder:
    """Decodes an event stream, and redacts its events from the first one on that repeats a secret or says that it is an error.

    A secret that an agent spreads over several chunks of an artifact is not found.

    Args:
        own: A secret of the request that the stream answers.
        limit: How many bytes one line, and the data of one event, may have.
    """

    def __init__(self, own: SecretStr | None = None, limit: int = 16 * 1024 * 1024) -> None:
        self._decoder = SSEDecoder(limit)
        self._limit = limit
        self._scan = AnswerScan(own)

    @property
    def last_event_id(self) -> str:
        """The id to resume the stream from."""
        return self._decoder.last_event_id

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        """Take the next bytes of the stream, and return the events that are complete with them.

        Raises:
            EventTooLargeError: As for `SSEDecoder`; or an event holds millions of values.
        """
        is_clean = self._scan.is_clean(piece)
        too_large: EventTooLargeError | None = None
        try:
            events = self._decoder.feed(piece)
        except EventTooLargeError as error:
            too_large, events = error, list(error.events)
        if not is_clean:
            events = [ServerSentEvent(*map(redact, event)) for event in events]
        if events and (len(piece) > _LARGE or len(events[0].data) > _LARGE):
            for position, event in enumerate(events):
                if is_excessive(event.data):
                    raise EventTooLargeError(self._limit, events[:position])
        if too_large is not None:
            raise EventTooLargeError(too_large.limit, events)
        return events
