"""The secrets of one cassette: the placeholder of each, and how to find each in every spelling."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from payman_sdk._text.redaction import base64_of, hexadecimal_of, list_spellings
from payman_sdk.testing._redaction.secret_names import PLACEHOLDER, WORD_BEGINS

_LONG_ENOUGH: Final = 8  # what is shorter is replaced in its own place only: it may be part of any word
_HUNTED_AS_WORD: Final = 4  # from here on it is searched for as a separate word, which refuses the recording


class SecretRegistry:
    """Secrets, with a placeholder for each, numbered by kind in order of appearance.

    What a program brings along goes by its role: an id and a secret that happen to be equal are two secrets, as they are when
    they differ. What a server gives out keeps one placeholder in every role, for it has to come back.

    Args:
        known: Kinds and values of secrets that are known beforehand.

    Attributes:
        minted: The placeholders that were made here, as against those that were found.
        is_answer: Whether a server says what is read now.
    """

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self.minted: set[str] = set()
        self.is_answer = False
        self._counts: Counter[str] = Counter()
        self._placeholders: dict[str, dict[str, str]] = {}
        self._given_out: set[str] = set()
        self._kinds: dict[str, list[str]] = {}
        for kind, value in known:
            if value:
                self._add_kind(kind, value)
        self._hunted: re.Pattern[str] | None = None
        self._hunted_words: re.Pattern[str] | None = None
        self._forms: dict[str, tuple[tuple[str, str], ...]] = {}
        self._words: dict[str, str] = {}

    def is_a(self, kind: str, value: str) -> bool:
        """Whether a value is known to be a secret of that kind."""
        return kind in self._kinds.get(value, ())

    def find_in(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield the position of a secret in a text, and what it is, never its value."""
        for match in self.build_pattern().finditer(text):
            for _, value in self._forms.get(match[0], ()):
                elsewhere = next(iter(self._placeholders.get(value, {}).values()), None)
                yield (
                    match.start(),
                    f"a {self.describe_kind(value)}, {f'elsewhere {elsewhere}' if elsewhere else 'known beforehand'}",
                )
        for match in self.build_word_pattern().finditer(text):
            if match["word"]:
                yield (
                    match.start(),
                    f"a {self.describe_kind(self._words[match['word']])} that is too short to be scrubbed here",
                )

    def get_placeholder(self, kind: str, value: str) -> str:
        """Return the placeholder of a secret; a placeholder stays as it is."""
        found = PLACEHOLDER.fullmatch(value)
        if found is not None:
            self._note(found)
            return value
        if not value:
            return value
        by_kind = self._placeholders.setdefault(value, {})
        if kind not in by_kind and by_kind and (self.is_answer or value in self._given_out):
            return next(iter(by_kind.values()))
        if kind not in by_kind:
            if self.is_answer:
                self._given_out.add(value)
            self._add_kind(kind, value)
            self._counts[kind] += 1
            by_kind[kind] = f"SCRUBBED-{kind}-{self._counts[kind]}"
            self.minted.add(by_kind[kind])
        return by_kind[kind]

    def _add_kind(self, kind: str, value: str) -> None:
        kinds = self._kinds.setdefault(value, [])
        if kind not in kinds:
            kinds.append(kind)
            self._hunted = self._hunted_words = None

    def _note(self, placeholder: re.Match[str]) -> None:
        """Mark a number as taken, so that new placeholders get a higher one."""
        kind, number = placeholder[1], int(placeholder[2])
        self._counts[kind] = max(self._counts[kind], number)

    def describe_kind(self, value: str) -> str:
        """In words, what a secret is."""
        kinds = self._kinds[value]
        return next((kind for kind in kinds if kind != "client-id"), kinds[0]).replace("-", " ")

    def hide_match(self, match: re.Match[str]) -> str:
        """Return what takes the place of something that `build_pattern` has found."""
        if match[1]:
            self._note(match)
            return match[0]
        return ":".join(self.get_placeholder(kind, value) for kind, value in self._forms[match[0]])

    def build_pattern(self) -> re.Pattern[str]:
        """Find every secret seen so far, in every form; and before all, placeholders, in which nothing is to be found."""
        if self._hunted is None:
            long_enough = [value for value in self._kinds if len(value) >= _LONG_ENOUGH]
            self._forms = {
                form: ((self._kinds[value][0], value),)
                for value in long_enough
                for form in {*list_spellings(value), *base64_of(value), hexadecimal_of(value)}
            }
            self._forms.update(self._iter_pairs())
            forms = sorted(self._forms, key=len, reverse=True)  # of two that begin alike, the longer
            self._hunted = re.compile("|".join([PLACEHOLDER.pattern, *map(re.escape, forms)]))
        return self._hunted

    def build_word_pattern(self) -> re.Pattern[str]:
        """Find the secrets that are too short for `build_pattern`, where no letter or digit is beside them, and not in placeholders."""
        if self._hunted_words is None:
            short = [
                value
                for value, kinds in self._kinds.items()
                if _HUNTED_AS_WORD <= len(value) < _LONG_ENOUGH and kinds != ["client-id"]
            ]
            self._words = {form: value for value in short for form in list_spellings(value)}
            forms = sorted(self._words, key=len, reverse=True)
            word = (
                f"{WORD_BEGINS}(?P<word>{'|'.join(map(re.escape, forms))})(?!\\w)"
                if forms
                else "(?P<word>(?!))"
            )
            self._hunted_words = re.compile(f"{PLACEHOLDER.pattern}|{word}")
        return self._hunted_words

    def _iter_pairs(self) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        secrets = [value for value, kinds in self._kinds.items() if "client-secret" in kinds]
        for client_id in [value for value, kinds in self._kinds.items() if "client-id" in kinds]:
            for client_secret in secrets:
                pair = f"{client_id}:{client_secret}".encode("utf-8", "surrogateescape")
                for encoded in (base64.b64encode(pair), base64.urlsafe_b64encode(pair)):
                    for form in list_spellings(encoded.decode()):
                        parts = (("client-id", client_id), ("client-secret", client_secret))
                        yield form, parts
                        yield form.rstrip("="), parts
