from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.regeneration import generator, reading, work
from scripts.regeneration.reading import Limits
from tests.peer import Peer, Request, answer, chunked
from tests.regenerate.conftest import Changed, Regenerate, colour, edit, everything


def slowly() -> Iterator[bytes]:
    for _ in range(100):
        time.sleep(0.05)
        yield b"openapi: 3.1.0 # and so on\n"


def billions(_: Request) -> Iterator[bytes]:
    lines = ["a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    ]
    yield from answer(body="\n".join(lines))(_)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/missing", "/missing cannot be read: it answers 404."),
        ("/page", "/page cannot be read: it is a web page, not an API document."),
        ("/large", "/large cannot be read: it sends more than 100,000 bytes."),
        ("/never", "/never cannot be read: it said nothing for 0.4 seconds."),
        ("/slow", "/slow cannot be read: after 1 seconds it was still sending."),
        ("/loop", "/loop cannot be read: Exceeded maximum allowed redirects."),
        ("/file", "/file cannot be read: Request URL has an unsupported protocol 'file://'."),
        ("/corrupt", "/corrupt cannot be read: while parsing"),
        ("/twice", "the key 'openapi' comes twice"),
        ("/binary", "/binary cannot be read: it is not UTF-8 (byte 0)."),
        ("/billions", "/billions cannot be read: it holds more than 500,000 values."),
        ("/deep", "/deep cannot be read: its objects and lists are more than 100 deep"),
        ("/list", "/list is not an OpenAPI document: a mapping is expected."),
        ("/empty", "/empty is not an OpenAPI document: it has no `openapi`"),
        (
            "/elsewhere",
            "elsewhere refers to http://127.0.0.1:1/x; only files below the document's own folder are read.",
        ),
    ],
)
def test_an_address_that_gives_no_document(
    bare: Path, regenerate: Regenerate, peer: Peer, monkeypatch: pytest.MonkeyPatch, path: str, said: str
) -> None:
    """Whatever it gives instead is said, soon, and everything stays as it was; what is secret in the address is not told."""
    few = 100_000
    limits = {"/never": Limits(size=few, silence=0.4), "/slow": Limits(size=few, duration=1.0)}
    monkeypatch.setattr(reading, "LIMITS", limits.get(path, Limits(size=few)))
    peer.always("/missing", answer(404))
    peer.always("/page", answer(body="<!doctype html><title>Log in</title>", media_type="text/html"))
    peer.always("/large", answer(body=b"#" * 100_001))
    peer.always("/never", peer.never)
    peer.always("/slow", chunked(slowly))
    peer.always("/loop", answer(302, location="/loop"))
    peer.always("/file", answer(302, location="file:///etc/passwd"))
    peer.always("/corrupt", answer(body="openapi: [3.1.0\ninfo:"))
    peer.always("/twice", answer(body="openapi: 3.1.0\ninfo: {}\nopenapi: 3.0.0\n"))
    peer.always("/binary", answer(body=b"\xff\xfe\xfd"))
    peer.always("/billions", billions)
    peer.always("/deep", answer(body="[" * 90_000))
    peer.always("/list", answer(body="[]"))
    peer.always("/empty", answer(body="{}"))
    peer.always(
        "/elsewhere", answer(body='{"openapi": "3.1.0", "paths": {"/a": {"$ref": "http://127.0.0.1:1/x"}}}')
    )
    before = everything(bare)
    run = regenerate("--from", peer.base_url.replace("//", "//user:word@") + f"{path}?key=word")
    assert (run.status, run.out) == (2, "")
    assert said in run.err
    assert "word" not in run.err
    assert run.err.endswith("Nothing was changed.\n")
    assert everything(bare) == before


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("http://127.0.0.1:1/api.yaml", "Connection refused"),
        ("ftp://127.0.0.1/api.yaml", "only http and https are"),
        ("http://[/api.yaml", "cannot be read: "),
        ("http://user:hunted/word@127.0.0.1:1/api.yaml", "it is not valid. Percent-encode what is special"),
        ("http://user:hunted#word@127.0.0.1:1/api.yaml", "it is not valid. Percent-encode what is special"),
        ("no/such/file.yaml", "no/such/file.yaml cannot be read: [Errno 2]"),
        (".", ". cannot be read: [Errno 21]"),
    ],
)
def test_a_source_that_cannot_be_read(bare: Path, regenerate: Regenerate, source: str, said: str) -> None:
    """It is said what is wrong with a file or an address, and everything stays as it was."""
    before = everything(bare)
    run = regenerate("--from", source)
    assert (run.status, run.out) == (2, "")
    assert said in run.err
    assert "hunted" not in run.err
    assert everything(bare) == before


def fails(*_: Any) -> Any:
    raise RuntimeError("the generator has stumbled")


def breaks_template(copy: Path, _: pytest.MonkeyPatch) -> None:
    edit(copy, "templates/model.py.jinja", "{%", "{% nonsense %}{%")


def breaks_generator(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.regeneration.generator.layout", fails)


def breaks_parser(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "Operations", fails)


def breaks_comparison(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "compare", lambda *_: fails(None))


def breaks_swap(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def once(path: Path, target: Path) -> Path:
        if path.name == "generated" and path.parent.name == "new":
            raise OSError("the disk has stumbled")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", once)


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (breaks_template, "does not fit: "),
        (breaks_generator, "stumbled"),
        (breaks_parser, "stopped by a mistake of its own"),
        (breaks_comparison, "stopped by a mistake of its own"),
        (breaks_swap, "the disk has stumbled"),
    ],
)
def test_a_failure_on_the_way_changes_nothing(
    bare: Path,
    changed: Changed,
    regenerate: Regenerate,
    monkeypatch: pytest.MonkeyPatch,
    breaks: Callable[[Path, pytest.MonkeyPatch], None],
    said: str,
) -> None:
    """Whatever stumbles, and even when half is in place, spec/ and generated/ are as they were, and there is no report."""
    if breaks in (breaks_template, breaks_generator, breaks_parser):
        monkeypatch.setattr(work, "generate", generator.generate)  # not what it has made for another test
    breaks(bare, monkeypatch)
    before = everything(bare)
    run = regenerate("--from", changed(colour), "--report", bare / "report.md")
    assert (run.status, run.out) == (2, "")
    assert said in run.err
    assert run.err.endswith("Nothing was changed.\n")
    assert everything(bare) == before


def test_a_report_that_cannot_be_written_stops_everything(
    bare: Path, changed: Changed, regenerate: Regenerate
) -> None:
    """That is found out before anything is changed."""
    before = everything(bare)
    for place in (bare / "no" / "report.md", bare):
        run = regenerate("--from", changed(colour), "--report", place)
        assert run.status == 2
        assert everything(bare) == before


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("model.py.jinja", "{%", "{% nonsense %}{%", "Encountered unknown tag 'nonsense'"),
        ("model.py.jinja", "{%", "{{ 1 | nonsense }}{%", "No filter named 'nonsense'"),
        (
            "package_init.py.jinja",
            "{% set shown",
            "{{ nonsense.of.it }}{% set shown",
            "'nonsense' is undefined",
        ),
        ("package_init.py.jinja", "{% for environment", "{{ 1 / 0 }}{% for environment", "division by zero"),
    ],
)
def test_a_template_that_fails_is_named(
    bare: Path, regenerate: Regenerate, name: str, old: str, new: str, said: str
) -> None:
    """With its line, whether it cannot be read or asks for what is not there."""
    edit(bare, f"templates/{name}", old, new)
    file = bare / "spec" / "templates" / name
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if new in text)
    run = regenerate()
    assert (run.status, run.out) == (2, "")
    assert f"{name}:{line} does not fit: " in run.err
    assert said in run.err
