"""Types that models and endpoints share."""

from base64 import b64encode
from collections.abc import Mapping, MutableMapping
from typing import IO, BinaryIO, Generic, Literal, NamedTuple, TypeVar


class Unset:
    """What an absent member is: not the same as null, and false."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"  # there is one, also where it is copied or pickled


UNSET: Unset = Unset()


FileContent = IO[bytes] | bytes | str
FileTypes = (
    tuple[str | None, FileContent, str | None] | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
RequestFiles = list[tuple[str, FileTypes]]


class File(NamedTuple):
    """A file to upload."""

    payload: BinaryIO | bytes
    file_name: str | None = None
    mime_type: str | None = None

    def to_tuple(self) -> FileTypes:
        """Give what httpx takes for multipart/form-data."""
        return self.file_name, self.payload, self.mime_type


def encode_basic(auth: tuple[str, str]) -> str:
    """Give the Authorization header of HTTP Basic for a name and a secret."""
    return "Basic " + b64encode(":".join(auth).encode()).decode()


T = TypeVar("T")


class Response(NamedTuple, Generic[T]):
    """An answer, as it came and as it was read."""

    status_code: int
    content: bytes
    headers: MutableMapping[str, str]
    parsed: T | None


__all__ = ["UNSET", "File", "FileTypes", "RequestFiles", "Response", "Unset", "encode_basic"]
