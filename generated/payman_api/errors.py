"""The error that the endpoint functions raise on request."""

from typing import Self


class UnexpectedStatus(Exception):
    """The answer has a status that the spec does not have.

    Attributes:
        status_code: The status.
        content: The body, which is neither in the message nor pickled: it may hold secrets.
    """

    def __init__(self, status_code: int, content: bytes) -> None:
        super().__init__(f"The spec has no status {status_code} for this operation.")
        self.status_code = status_code
        self.content = content

    def __reduce__(self) -> tuple[type[Self], tuple[int, bytes]]:
        return type(self), (self.status_code, b"")


__all__ = ["UnexpectedStatus"]
