"""Names of operations that look alike: one payment, or a refusal that names the character."""

from __future__ import annotations

import asyncio
import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk import PaymanClient
from payman_sdk._core.requests import derive_task_id
from payman_sdk.agents import AsyncPaymanToolkit, MemoryOperationStore, PaymanToolkit
from payman_sdk.agents.operation_names import MAX_LENGTH, UnusableNameError, normalize_name
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import ORDER, PAYMENT, connected_async

_SAME = {
    "hyphen": "invoice\u201042",
    "no-break hyphen": "invoice\u201142",
    "figure dash": "invoice\u201242",
    "en dash": "invoice\u201342",
    "em dash": "invoice\u201442",
    "horizontal bar": "invoice\u201542",
    "minus": "invoice\u221242",
    "superscript minus": "invoice\u207b42",
    "small hyphen": "invoice\ufe6342",
    "small em dash": "invoice\ufe5842",
    "fullwidth hyphen": "invoice\uff0d42",
    "hyphen bullet": "invoice\u204342",
    "modifier minus": "invoice\u02d742",
    "Armenian hyphen": "invoice\u058a42",
    "Hebrew maqaf": "invoice\u05be42",
    "wave dash": "invoice\u301c42",
    "katakana double hyphen": "invoice\u30a042",
    "two-em dash": "invoice\u2e3a42",
    "upper case": "INVOICE-42",
    "one capital": "Invoice-42",
    "fullwidth digits": "invoice-\uff14\uff12",
    "fullwidth letters": "\uff29nvoice-42",
    "superscript digit": "invoice-4\u00b2",
    "circled digit": "invoice-4\u2461",
    "mathematical bold": "\U0001d422nvoice-42",
    "mathematical digits": "invoice-\U0001d7d2\U0001d7d0",
    "double-struck": "\U0001d55anvoice-42",
    "script": "invoi\U0001d4b8e-42",
    "circled letter": "inv\u24deice-42",
    "roman numeral": "\u2170nvoice-42",
    "roman numeral of a hundred": "invoi\u217de-42",
    "information source": "\u2139nvoice-42",
    "dotless i": "\u0131nvoice-42",
    "capital i with a dot": "\u0130nvoice-42",
    "acute": "\u00ednvoice-42",
    "dot below": "inv\u1ecdice-42",
    "ogonek": "invoice-42".replace("e", "\u0119"),
    "stroke": "inv\u00f8ice-42",
    "horn": "inv\u01a1ice-42",
    "combining marks": "inv\u006f\u0308\u0331ice-42",
    "mark on a digit": "invoice-4\u03012",
    "no-break space around": "\u00a0invoice-42\u00a0",
    "white space around": "\t\ninvoice-42\r\n",
    "ideographic space around": "invoice-42\u3000",
    "thin space around": "\u2009invoice-42\u200a",
    "line separator around": "invoice-42\u2028",
}
"""Names that are `invoice-42`, however they are written."""

_REFUSED = {
    "Cyrillic o": "inv\u043eice-42",
    "Cyrillic i": "\u0456nvoice-42",
    "Cyrillic s and a": "\u0455\u0430l\u0430ry-1",
    "Greek omicron": "inv\u03bfice-42",
    "Greek iota": "\u03b9nvoice-42",
    "Greek nu": "in\u03bdoice-42",
    "Armenian o": "inv\u0585ice-42",
    "Cherokee v": "in\u13d9oice-42",
    "Coptic o": "inv\u2c9fice-42",
    "Lisu letters": "\ua4e1\ua4e0-42",
    "Deseret o": "inv\U0001042cice-42",
    "small capital i": "\u026anvoice-42",
    "Latin alpha": "s\u0251lary-1",
    "Latin iota": "\u0269nvoice-42",
    "script g": "wa\u0261es-1",
    "turned e": "invoic\u01dd-42",
    "click": "invoice\u01c042",
    "modifier letter": "invoice\u02bc42",
    "modifier colon": "invoice\ua78942",
    "only Cyrillic look-alikes": "\u0441\u043e\u0440\u0435-42",
    "only Greek look-alikes": "\u03bd\u03bf\u03bf-42",
    "only Katakana look-alikes": "\u30ab\u30ed-42",
    "Katakana in Chinese": "\u8acb\u6c42\u30ed-42",
    "Arabic digits": "invoice-\u0664\u0662",
    "Devanagari digits": "invoice-\u096a\u0968",
    "ligature": "in\ufb01oice-42",
    "numero sign": "\u21167",
    "fraction": "invoice-\u00bd",
    "digits with a full stop": "invoice-\u249b",
    "telephone sign": "invoice-\u2121",
    "zero width space": "invoice-\u200b42",
    "zero width joiner": "invoice-\u200d42",
    "word joiner": "invoice\u2060-42",
    "byte order mark": "\ufeffinvoice-42",
    "soft hyphen": "invoice\u00ad-42",
    "tag": "invoice-42\U000e0041",
    "variation selector": "invoice-42\ufe0f",
    "variation selector supplement": "invoice-42\U000e0100",
    "grapheme joiner": "invoice\u034f-42",
    "Mongolian vowel separator": "invoice\u180e-42",
    "Mongolian selector": "invoice\u180b-42",
    "Khmer vowel": "invoice\u17b4-42",
    "hangul filler": "invoice-42\u3164",
    "halfwidth filler": "invoice-42\uffa0",
    "choseong filler": "invoice-42\u115f",
    "blank Braille": "invoice\u2800-42",
    "null notehead": "invoice-42\U0001d159",
    "bidi override": "invoice-\u202e24",
    "bidi mark": "invoice\u200e-42",
    "control": "invoice-42\x00",
    "escape": "invoice\x1b[0m-42",
    "line break": "invoice\n-42",
    "C1": "invoice\x85-42",
    "private use": "invoice-42\ue000",
    "noncharacter": "invoice-42\ufdd0",
    "unassigned": "invoice-42\u0378",
    "object replacement": "invoice-42\ufffc",
    "hair space": "invoice-\u200a42",
    "thin space": "invoice-\u200942",
    "narrow no-break space": "invoice-\u202f42",
    "six-per-em space": "invoice\u2006-42",
    "strike through": "invoice-4\u03362",
    "enclosing circle": "invoice-4\u20dd2",
    "box drawing": "invoice\u250042",
    "heavy minus": "invoice\u279642",
    "prolonged sound": "invoice\u30fc42",
    "Chinese one": "invoice\u4e0042",
    "macron": "invoice\u00af42",
    "spacing tonos": "invoice\u1ffd-42",
    "undertie": "invoice\u203f42",
    "fraction slash": "invoice\u204442",
    "division slash": "invoice\u221542",
    "full stop of Arabic": "invoice\u06d4",
    "emoji": "invoice-42\U0001f600",
    "Arabic": "\u0641\u0627\u062a\u0648\u0631\u0629-42",
    "Hebrew": "\u05d7\u05e9\u05d1\u05d5\u05df-42",
    "half a character": "invoice-42\ud83d",
}
"""Names that are refused: each could be taken for another."""


def test_names_that_look_alike_pay_once(sandbox: Sandbox, client: PaymanClient) -> None:
    """Whatever a model writes for `invoice-42`, there is one payment; what could be taken for it is refused, naming the character."""
    toolkit = PaymanToolkit(client)
    first = toolkit.pay(*PAYMENT, operation="invoice-42")
    for kind, name in _SAME.items():
        assert toolkit.pay(*PAYMENT, operation=name) == first, kind
        assert toolkit.check(name) == first, kind
    for kind, name in _REFUSED.items():
        for call in (
            partial(toolkit.pay, *PAYMENT, operation=name),
            partial(toolkit.check, name),
            partial(toolkit.reply, name, "approve"),
        ):
            with pytest.raises(ConfigurationError) as caught:
                call()
        said = str(caught.value)
        assert re.match(r"operation (holds|mixes letters|has only letters)", said), kind
        assert re.search(r"U\+[0-9A-F]{4,6}.* at position \d+", said) or "unpaired surrogate" in said, kind
        assert said.isprintable(), kind
    assert len(sandbox.payments) == 1
    assert first.operation == "invoice-42"
    assert first.task_id == derive_task_id(sandbox.client_id, "invoice-42")


def test_a_tool_answers_a_model_that_writes_them(sandbox: Sandbox, client: PaymanClient) -> None:
    """The model reads which character it is; the same operation has the same result."""
    pay = PaymanToolkit(client).tools[0]
    first = pay.call({**ORDER, "operation": "invoice-42"})
    assert pay.call({**ORDER, "operation": "INVOICE\u201342"}) == first
    result = pay.call({**ORDER, "operation": "inv\u043eice-42"})
    assert result.status == "invalid"
    assert "U+043E CYRILLIC SMALL LETTER O at position 3" in result.text
    assert len(sandbox.payments) == 1


def test_two_toolkits_agree(sandbox: Sandbox, client: PaymanClient) -> None:
    """Another toolkit, asynchronous and with the same store, takes look-alikes for the same operation."""
    store = MemoryOperationStore()
    first = PaymanToolkit(client, store=store).pay(*PAYMENT, operation="Invoice \u2014 42")

    async def main() -> None:
        async with connected_async(sandbox) as other:
            toolkit = AsyncPaymanToolkit(other, store=store)
            assert await toolkit.pay(*PAYMENT, operation="invoice - 42") == first
            assert await toolkit.check("INVOICE\u00a0-\u300042") == first

    asyncio.run(main())
    assert len(sandbox.payments) == 1


def test_names_in_other_scripts() -> None:
    """Letters of one script that cannot be taken for Latin ones are names, in a normal form too."""
    for name, normal in {
        "Счёт-42": "счет-42",
        "Τιμολόγιο 42": "τιμολογιο 42",
        "請求書-42": "請求書-42",
        "\uff72\uff9d\uff8e\uff9e\uff72\uff7d-42": "インボイス-42",
        "송장-42": "송장-42",
        "Straße 7": "strasse 7",
        "Gebühr – März": "gebuhr - marz",
        "l\u2019année": "l'annee",
        "42": "42",
        "2026-07 / rent: #7 (b)": "2026-07 / rent: #7 (b)",
    }.items():
        assert normalize_name(name) == normal
    for unlike in ("invoice-43", "invoice_42", "invoice 42", "invoice--42", "invoice-042"):
        assert normalize_name(unlike) != "invoice-42"


def test_the_length_counts_when_it_is_normal() -> None:
    """What grows too long is refused, and so is what nothing is left of."""
    assert len(normalize_name("x" * MAX_LENGTH)) == MAX_LENGTH
    for name, said in (
        ("\u00df" * 200, "has 400 characters"),
        (" \u00a0", "is blank"),
        ("\u0301", "is blank"),
    ):
        with pytest.raises(UnusableNameError, match=said):
            normalize_name(name)


@given(st.text(st.characters(), min_size=1, max_size=20))
def test_a_normal_form_stays_what_it_is(name: str) -> None:
    """Whatever is given, its normal form is its own, lower case, and made of visible characters; or it is refused."""
    try:
        normal = normalize_name(name)
    except UnusableNameError:
        return
    assert normalize_name(normal) == normal
    assert normal == normal.casefold()
    assert normal.isprintable()


def test_a_clients_own_keys_stay_exact(sandbox: Sandbox, client: PaymanClient) -> None:
    """Keys that a program gives are compared exactly; a key with an invisible character is refused."""
    for key in ("Invoice-42", "invoice-42", "invoice\u201342"):
        client.pay(*PAYMENT, idempotency_key=key)
    assert len(sandbox.payments) == 3
    for hidden in (
        "invoice-42\ufe0f",
        "invoice-42\u3164",
        "invoice-42\u034f",
        "invoice-42\u200b",
        "invoice\n42",
        "\u00a0",
    ):
        with pytest.raises(ConfigurationError, match="idempotency_key is"):
            client.pay(*PAYMENT, idempotency_key=hidden)
    assert len(sandbox.payments) == 3


def test_wide_characters_are_those_of_a_keyboard() -> None:
    """A name of a keyboard's characters has the form that the same name has in wide ones, which take the longer way."""
    for code in range(0x21, 0x7F):
        plain, wide = f"A  {chr(code)} b", f"A  {chr(code + 0xFEE0)} b"
        assert normalize_name(plain) == normalize_name(wide) == f"a {chr(code).lower()} b"
