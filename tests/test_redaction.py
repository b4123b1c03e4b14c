"""What is redacted of a text, and what is left alone."""

from __future__ import annotations

import base64
import itertools
import json
import pickle
import random
import re
import string
import time
from collections.abc import Callable
from html import unescape
from html.entities import html5
from typing import Any
from urllib.parse import unquote

import pytest

from payman_sdk._core.http import AnswerScan, redact_answer
from payman_sdk._secrets import SecretStr, sent_secrets
from payman_sdk._text.error_response import ErrorResponse
from payman_sdk._text.redaction import _ESCAPE, redact, redact_shape
from payman_sdk.errors import AgentError, PaymanError

TOKEN = "acc3ss-t0ken/abc+def=="


@pytest.fixture(autouse=True)
def _sent() -> None:
    for secret in (TOKEN, "s3cr3t", "pässwört-für-älle", "with spaces in it", "eyJhbGciOiJIUzI1NiJ9.one.xyz"):
        sent_secrets.add(SecretStr(secret))


TEXTS = {
    f"token {TOKEN}.": "token ....",
    f"{TOKEN}{TOKEN}": "......",
    f"{TOKEN[:8]}": "...",
    f"{TOKEN[:7]}": TOKEN[:7],
    f"…{TOKEN[-12:]}": "…...",
    f"…{TOKEN[-7:]}": f"…{TOKEN[-7:]}",
    "the s3cr3t is out": "the ... is out",
    "s3cr3ts and xs3cr3t": "s3cr3ts and xs3cr3t",
    "S3CR3T": "S3CR3T",
    "p%C3%A4ssw%C3%B6rt-f%c3%bcr-%c3%a4lle": "...",
    "p\\u00e4ssw\\u00f6rt-f\\u00fcr-\\u00e4lle": "...",
    "p&auml;ssw&ouml;rt-f&uuml;r-&auml;lle": "...",
    "".join(f"&#{ord(sign):012};" for sign in TOKEN): "...",
    "".join(f"&#x{ord(sign):012x};" for sign in TOKEN): "...",
    "".join(f"%u{ord(sign):04X}" for sign in TOKEN): "...",
    "".join(f"\\u{{{ord(sign):04X}}}" for sign in TOKEN): "...",
    "".join(f"\\u{{{ord(sign):06X}}}" for sign in TOKEN): "...",
    "".join(f"\\U{ord(sign):08x}" for sign in TOKEN): "...",
    "C:\\Users\\user \\U0011ffff": "C:\\Users\\user \\U0011ffff",
    "with+spaces+in+it, with%20spaces%20in%20it": "..., ...",
    "eyJhbGciOiJIUzI1NiJ9.two.abcdef": "...two.abcdef",
    "acc3ss-t\\/ken": "...\\/ken",
    "a%41%ZZ%2 &nosuch; &#9999999; \\ud83d \\": "a%41%ZZ%2 &nosuch; &#9999999; \\ud83d \\",
    "": "",
    "Ünïcödé, and a lone \ud800": "Ünïcödé, and a lone \ud800",
}


def test_texts() -> None:
    for text, expected in TEXTS.items():
        assert redact(text) == expected, text
        raw = text.encode("utf-8", "surrogatepass")
        assert redact(raw) == expected.encode("utf-8", "surrogatepass"), text


def test_what_holds_no_secret_is_the_very_same_object() -> None:
    shape: Any = {"a": ["b", ("c", 1)], "d": {"e": None}}
    text = "nothing in it"
    assert redact_shape(shape) is shape
    assert redact(text) is text
    assert redact_answer(b"{}") == b"{}"
    assert redact_shape({"a": [TOKEN, (TOKEN, 1)], TOKEN: {"e": b"s3cr3t"}}) == {
        "a": ["...", ("...", 1)],
        "...": {"e": b"..."},
    }


def test_what_is_nested_too_deeply_is_not_kept() -> None:
    deep: Any = TOKEN
    for _ in range(5000):
        deep = [deep]
    assert redact_shape(deep) == "..."


def test_nothing_is_redacted_before_anything_was_sent() -> None:
    sent_secrets.clear()
    assert redact(f"token {TOKEN}") == f"token {TOKEN}"


def test_whatever_is_set_on_an_error_is_redacted() -> None:
    """Also attributes that nobody has listed, those of subclasses, notes, and what is unpickled."""
    error = AgentError(f"The agent said {TOKEN}.", next_step=f"Use {TOKEN}.", session_id=TOKEN)
    error.code, error.data = -32602, {"seen": TOKEN}
    error.whatever = [TOKEN]  # nobody has listed it
    error.add_note("it is noted")
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 (its own)
    for one in (error, copied):
        assert TOKEN[:8] not in f"{one} {one!r} {vars(one)} {one.args}"
        assert one.message == "The agent said ...."
        assert one.__notes__ == ["it is noted"]
    assert str(PaymanError("It broke.", next_step="Mend it.")) == "It broke. Mend it."


def test_an_error_keeps_little_of_an_answer_and_no_secret_of_it() -> None:
    body = b"x" * 300_000 + TOKEN.encode()
    kept = ErrorResponse(
        400, TOKEN.encode() + body, f"text/plain; {TOKEN}", {"Retry-After": TOKEN, "X": TOKEN}
    )
    assert len(kept.content) < 262_144
    assert (kept.content[:5], dict(kept.headers)) == (
        b"...xx",
        {"content-type": "text/plain; ...", "retry-after": "..."},
    )


def test_an_error_in_utf_16_or_32_shows_no_secret() -> None:
    """JSON is read in any of them, so the body that an error keeps is redacted in each, and kept in UTF-8."""
    document = json.dumps({"error": "invalid_grant", "error_description": f"seen: {TOKEN}"})
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"):
        kept = ErrorResponse(400, document.encode(encoding))
        assert kept.json() == {"error": "invalid_grant", "error_description": "seen: ..."}, encoding
        assert kept.text == document.replace(TOKEN, "..."), encoding


def test_any_piece_of_any_secret_is_found_whatever_secrets_share() -> None:
    """Secrets of one issuer begin, go on or end alike; which of them came first does not matter, nor where one ends within another."""
    chance = random.Random(4711)  # noqa: S311 (no secret)
    blocks = [
        "".join(chance.choices(string.ascii_letters + string.digits, k=size)) for size in (9, 14, 21, 30)
    ]
    secrets = ["".join(chance.sample(blocks, 3)) + f"{number}%41-{number}" for number in range(12)]
    for secret in secrets:
        sent_secrets.add(SecretStr(secret))
    for secret in secrets:
        for form in (
            secret,
            unquote(secret),
            secret.encode().hex(),
            base64.b64encode(secret.encode()).decode(),
        ):
            whole = form.rstrip("=")[: len(form) - 4]
            for start in range(len(whole) - 12):
                for size in (12, 13, 17, 23):
                    piece = whole[start : start + size]
                    if len(piece) >= 12:
                        assert redact(f"claim {piece} is wrong") == "claim ... is wrong", (form, piece)
    for one, other in itertools.pairwise(("q9first=", "sh4red-by-both", "=l4st9")):
        sent_secrets.add(SecretStr(one + other))
    assert redact("is q9first=sh4red-by-both=l4st9 it") == "is ... it"


def test_a_secret_may_hold_what_only_looks_like_an_escape() -> None:
    """Its escapes are undone until that changes nothing."""
    for secret in ("s3cret&nosuch;more", "s3cret%2526ZZ&amp;nosuch;"):
        sent_secrets.add(SecretStr(secret))
        assert redact(f"is {secret} it") == "is ... it"
    assert redact("is s3cret&ZZ&nosuch; it") == "is ... it"


@pytest.mark.slow
def test_hostile_texts_take_no_longer_than_others() -> None:
    """Nothing in a text makes the search slow: many escapes, backslashes without end, a secret again and again."""
    started = time.process_time()
    for text in (
        "\\" * 200_000,
        "\\\\u" * 60_000,
        "%25" * 80_000,
        "&amp;" * 50_000,
        "acc3ss-t0ke" * 20_000,
        TOKEN * 10_000,
    ):
        redact(text)
    assert time.process_time() - started < 10


def test_runs_of_backslashes_are_undone_at_once_and_hide_nothing() -> None:
    """A few kilobytes that decompress to megabytes of backslashes must not keep an ask busy past its deadline."""
    run = b"\\\\" * 100_000
    assert sum(1 for _ in re.finditer(_ESCAPE, run)) <= len(run) // 100
    secret = "s3cret-of-a-server"
    sent_secrets.add(SecretStr(secret))
    for several in (*range(1, 20), 255, 1000, 100_001):
        hidden = secret.replace("-", "\\" * several + "u002d")
        assert secret[:6] not in redact(f"a {hidden} b"), several


def test_an_error_is_found_wherever_a_piece_ends() -> None:
    """An answer in two pieces is clean exactly where the same in one piece is, however it is cut."""
    answers = {
        b'{"result": {}, "error":null}': True,
        b'{"error" : null, "more": "error"}': True,
        b'{"error": {"code": 7}}': False,
        b'{"error":"null"}': False,
        b'{"error":nothing}': False,
        b'{"error"' + b" " * 40 + b": 7}": False,
        b'{"error":' + b"\n" * 40 + b"7}": False,
    }
    for answer, is_clean in answers.items():
        assert AnswerScan().is_clean(answer) is is_clean, answer
        for cut in range(1, len(answer)):
            scan = AnswerScan()
            scan.is_clean(answer[:cut])
            # Blanks without end may count as an error before its value is there: that costs time and nothing else.
            assert scan.is_clean(answer[cut:]) is is_clean, (answer, cut)


def test_a_success_hides_no_secret_in_another_spelling() -> None:
    """What need not be written as an escape, and is, gives it away; so does UTF-16. Ordinary answers stay the very same object."""
    secrets = TOKEN, "eyJhbGciOiJIUzI1NiJ9.one.xyz"
    spellings: dict[str, Callable[[str], str]] = {
        "as it is": str,
        "JSON": lambda text: "".join(f"\\u{ord(letter):04X}" for letter in text),
        "URL": lambda text: "".join(f"%{ord(letter):02x}" for letter in text),
        "HTML": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
        "HTML in sixteens": lambda text: "".join(f"&#X00{ord(letter):x};" for letter in text),
        "programs": lambda text: "".join(f"\\\\x{ord(letter):02x}" for letter in text),
        "hexadecimal": lambda text: text.encode().hex(),
        "hexadecimal in capitals": lambda text: f"x{text}y".encode().hex().upper(),
        "base64": lambda text: base64.b64encode(f"x{text}y".encode()).decode(),
        "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"xy{text}".encode()).decode(),
    }
    for name, spell in spellings.items():
        for secret in secrets:
            answer = f'{{"result": {{"text": "It is {spell(secret)}."}}}}'
            for encoding in ("utf-8", "utf-16", "utf-16-be", "utf-32"):
                read = json.loads(redact_answer(answer.encode(encoding)))["result"]["text"]
                assert read.startswith("It is ") and "..." in read, (name, encoding)
                assert secret[:10] not in unescape(unquote(read)), (name, encoding)
    for harmless in ("50% of 90%", "caf\\u00e9 \\u003c3 \\u0026 more", "&#8364; 5", "a%20b", "R&#38;D"):
        body = '{"result": {"text": "%s"}}'.replace("%s", harmless).encode()
        assert redact_answer(body) is body, harmless


NAMES = {sign: f"&{name}" for name, sign in html5.items() if name.endswith(";")}
ESCAPES: tuple[Callable[[str], str], ...] = (
    lambda letter: f"\\u{ord(letter):04x}",
    lambda letter: f"\\x{ord(letter):02X}",
    lambda letter: f"%{ord(letter):02x}",
    lambda letter: f"&#{ord(letter):03d};",
    lambda letter: f"&#X{ord(letter):x};",
    lambda letter: f"&#{ord(letter):010};",
    lambda letter: f"%u{ord(letter):04x}",
    lambda letter: f"\\\\u{{{ord(letter):x}}}",
    lambda letter: f"\\\\U{ord(letter):08X}",
    lambda letter: NAMES.get(letter, letter),
    lambda letter: letter if letter in "abefnrtuvx0" else f"\\{letter}",
)


def spell(text: str, chance: random.Random) -> str:
    """Write some letters of a text, or only its signs, as escapes."""
    escapes, share = chance.sample(ESCAPES, chance.choice((1, 1, 3))), chance.choice((0.0, 0.4, 1.0))
    return "".join(
        chance.choice(escapes)(letter) if not letter.isalnum() or chance.random() < share else letter
        for letter in text
    )


def test_a_success_is_looked_through_for_every_form_that_is_redacted() -> None:
    """What an error would lose of a secret, a success loses too: also of one in hexadecimal, with escapes in escapes."""
    chance = random.Random(4711)  # noqa: S311 (no secret)
    secrets = (
        "t-kn/abc+def==Q",
        "a/b+c=d&e/f+g=h&i",
        "p4ss w0rd",
        "k3y-pw7",
        "r3fr3sh/with==tail%41",
        "%41%42%43%44%45-%46",
    )
    for secret in secrets:
        sent_secrets.add(SecretStr(secret))
    encodings: tuple[Callable[[bytes], bytes], ...] = (
        bytes,
        lambda raw: raw.hex().encode(),
        base64.b64encode,
    )
    seen = 0
    for _ in range(800):
        written = chance.choice(encodings)(chance.choice(secrets).encode()).decode()
        for _ in range(chance.randrange(4)):
            written = spell(written, chance)
        answer = f'{{"text": "It is {written}."}}'.encode()
        if redact(answer) == b'{"text": "It is ...."}':
            seen += 1
            assert not AnswerScan().is_clean(answer), answer
    assert seen > 500


def test_the_shortest_secrets_are_found_in_a_success() -> None:
    """A secret of six characters or eight, the base64 of one of nine, and one with half a character are found; so is one in broken UTF-16."""
    for secret in ("Zq7-Xw9k", "Yq7-Xw9kP", "ab\udc80cdefg"):
        sent_secrets.add(SecretStr(secret))
    answers = {
        b'{"text": "Zq7-Xw9k"}': b"Zq7",
        b'{"text": "is it s3cr3t?"}': b"s3cr3t",
        b'{"text": "%s"}' % base64.b64encode(b"Yq7-Xw9kP"): b"WXE3",
        json.dumps({"text": "ab\udc80cdefg"}).encode(): b"cdefg",
        '{"text": "Zq7-Xw9k"}'.encode("utf-16-le") + b"x": b"Zq7",
    }
    for answer, shown in answers.items():
        redacted = redact_answer(answer)
        assert b"..." in redacted and shown not in redacted, answer


def test_the_secret_of_each_request_is_looked_for_in_its_answer() -> None:
    """Also where many secrets are newer, and the answer before was of a request with another one."""
    owns = [SecretStr(f"{name}-own-t0ken-of-a-request") for name in ("first", "other")]
    for secret in (*owns, *(SecretStr(f"{number:02}-newer-s3cret") for number in range(30))):
        sent_secrets.add(secret)
    for own in (*owns, *owns):
        assert not AnswerScan(own).is_clean(f'{{"text": "{own.reveal()}"}}'.encode()), own.reveal()
        assert AnswerScan(own).is_clean(b'{"text": "nothing"}')


def test_a_character_that_shares_bytes_with_a_secret_can_be_redacted() -> None:
    """Half of a character remains, which must not turn every exception of the SDK into a UnicodeDecodeError."""
    sent_secrets.add(SecretStr("pässwörtér-xyz-123"))
    for said in ("pässwörtÉr", "pässwörtèr", "\ud800 pässwörtèr"):
        assert str(PaymanError(f"It said {said}")).startswith("It said "), said
        assert "pässwört" not in redact(said), said
