"""Bodies that are compressed for the wire: what comes of them, and how much at most."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
import zlib

import pytest

from payman_sdk._io.streams import BoundedBody, Decompressor, UnreadableAnswerError

TEXT = b"".join(b"line %d of an answer\n" % number for number in range(2000))


def _raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def read(encoding: str, wire: bytes, size: int = 1000) -> bytes:
    decompressor = Decompressor(encoding)
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    return b"".join(piece for raw in pieces for piece in decompressor.feed(raw))


READABLE = {
    "plain": ("", TEXT),
    "identity": ("identity", TEXT),
    "gzip": ("gzip", gzip.compress(TEXT)),
    "gzip by its old name": ("X-GZip", gzip.compress(TEXT)),
    "gzip after nothing": (" , identity, gzip", gzip.compress(TEXT)),
    "zlib": ("deflate", zlib.compress(TEXT)),
    "deflate without zlib's frame": ("deflate", _raw_deflate(TEXT)),
    "two files of gzip": ("gzip", gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:])),
    "gzip, then something else": ("gzip", gzip.compress(TEXT) + b"\0\0\0 and so on"),
    "zlib, then something else": ("deflate", zlib.compress(TEXT) + b"\x1f\x8b and so on"),
    "gzip without its checksum": ("gzip", gzip.compress(TEXT)[:-8]),
}
UNREADABLE = {
    "an encoding that cannot be bounded": ("br", b"?"),
    "zstd": ("zstd", b"?"),
    "an encoding that does not exist": ("payman", b"?"),
    "twice": ("gzip, gzip", gzip.compress(gzip.compress(TEXT))),
    "one in the other": ("deflate,gzip", gzip.compress(zlib.compress(TEXT))),
    "thrice, with gaps": ("gzip,,gzip,\tgzip", b""),
    "no gzip": ("gzip", b"not compressed at all"),
    "no deflate": ("deflate", b"\x78\x9cnot compressed"),
    "damaged": ("gzip", gzip.compress(TEXT)[:100] + b"\0" * 100),
}


def test_what_can_be_read_in_whatever_pieces() -> None:
    for name, (encoding, wire) in READABLE.items():
        for size in (1, 2, 3, 7, 1000, len(wire)):
            assert read(encoding, wire, size) == TEXT, (name, size)


def test_what_is_not_read_may_have_been_done() -> None:
    """The request was answered, so nothing says that it was not carried out; another try would be answered so again."""
    for name, (encoding, wire) in UNREADABLE.items():
        with pytest.raises(UnreadableAnswerError) as raised:
            read(encoding, wire)
        assert (raised.value.failure.sent, raised.value.failure.is_transient) == (True, False), name
        assert raised.value.__context__ is None, name


def _bomb(megabytes: int, wbits: int) -> bytes:
    """So many million blanks, compressed a million at a time: each million is the same bytes again."""
    compressor, block = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS), b" " * 1_000_000
    body = (compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)) * megabytes + compressor.flush()
    if wbits < 0:
        return body
    sum_up, total = (zlib.crc32, 0) if wbits > 15 else (zlib.adler32, 1)
    for _ in range(megabytes):
        total = sum_up(block, total)
    if wbits > 15:
        head, end = b"\x1f\x8b\x08" + bytes(6) + b"\xff", struct.pack("<II", total, megabytes * len(block))
    else:
        head, end = b"\x78\xda", struct.pack(">I", total)
    return head + body + end


def test_a_bomb_is_what_zlib_reads() -> None:
    """What is put together by hand is whole, with its checksum."""
    for wbits in (31, 15, -15):
        assert zlib.decompress(_bomb(2, wbits), wbits) == b" " * 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("wbits", [31, 15, -15])
def test_a_bomb_gives_small_pieces(wbits: int) -> None:
    """A hundred thousand bytes that stand for a hundred million are never held as such."""
    wire = _bomb(100, wbits)
    assert len(wire) < 120_000
    tracemalloc.start()
    try:
        total = 0
        for piece in Decompressor("gzip" if wbits == 31 else "deflate").feed(wire):
            assert len(piece) <= 65_536
            total += len(piece)
        assert total == 100_000_000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_body_is_kept_up_to_its_limit() -> None:
    body = BoundedBody({"content-length": "10"}, 10)
    body.add(b"12345")
    body.add(b"67890")
    assert body.content() == b"1234567890"
    with pytest.raises(UnreadableAnswerError, match="larger than 10 bytes"):
        body.add(b"1")
    for length in ("11", "9" * 5000):
        with pytest.raises(UnreadableAnswerError, match="larger than 10 bytes"):
            BoundedBody({"content-length": length}, 10)
    for length in ("", "-1", "ten", "١٢"):  # whatever it says, what comes counts
        BoundedBody({"content-length": length}, 10)


def test_a_body_of_very_many_values_is_not_read() -> None:
    """JSON of nothing but brackets takes forty times its size in memory."""
    for values in (b"[],", b"{},", b'"a",'):
        body = BoundedBody({}, 100_000_000)
        body.add(b"[" + values * (17_000_000 // len(values)) + b"0]")
        with pytest.raises(UnreadableAnswerError, match="millions of values"):
            body.content()
    body = BoundedBody({}, 100_000_000)
    body.add(b'{"text": "' + b"word, " * 600_000 + b'"}')
    assert body.content()
