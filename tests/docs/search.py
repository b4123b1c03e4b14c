"""The search of the built pages, as mkdocs-material's page runs it: BM25 over sections, where titles count a thousandfold.

It stems less than lunr does. Pages whose section has every word of the question come first, as in the browser.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path

from attrs import frozen

_STOP_WORDS = """
a about after all am an and any are as at be because been but by can cannot could do does for from get
had has have how i if in into is it its just let may me might most must my no not of off on or our own
say should so some than that the their them then there these they this to too us wants was we were what
when where which while who why will with would you your
"""

_IGNORED = frozenset(_STOP_WORDS.split())
_TITLE_BOOST = 1000.0


@frozen
class Section:
    """A page or a part of one, with the counts of its words."""

    location: str
    title: Counter[str]
    text: Counter[str]
    boost: float


def read_index(site: Path) -> list[Section]:
    """Return the sections of the index that the site ships."""
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    return [
        Section(
            one["location"],
            Counter(_split(one["title"])),
            Counter(_split(one["text"])),
            float(one.get("boost", 1)),
        )
        for one in index["docs"]
    ]


def rank_pages(sections: list[Section], question: str) -> list[str]:
    """Return the pages that answer a question, best first."""
    terms = set(_split(question))
    scores = Counter[str]()
    for field, boost in (("title", _TITLE_BOOST), ("text", 1.0)):
        counts = [getattr(section, field) for section in sections]
        lengths = [sum(count.values()) for count in counts]
        average = sum(lengths) / len(lengths) or 1
        for term in terms:
            holders = sum(term in section.title or term in section.text for section in sections)
            rarity = math.log(1 + abs((len(sections) - holders + 0.5) / (holders + 0.5)))
            for section, count, length in zip(sections, counts, lengths, strict=True):
                if often := count[term]:
                    weight = often * 2.2 / (1.2 * (0.25 + 0.75 * length / average) + often)
                    scores[section.location] += section.boost * boost * rarity * rarity * weight
    for section in sections:
        if all(term in section.title or term in section.text for term in terms):
            scores[section.location] *= 2 if "#" in section.location else 5
    pages: dict[str, None] = {}
    for location, _ in scores.most_common():
        pages.setdefault(location.partition("#")[0])
    return list(pages)


def _split(text: str) -> list[str]:
    words = re.findall(r"[a-z0-9]+", re.sub(r"<[^>]+>", " ", text).lower())
    return [_stem(word) for word in words if word not in _IGNORED]


def _stem(word: str) -> str:
    for ending, instead in (
        ("ies", "y"),
        ("ing", ""),
        ("ied", "y"),
        ("ed", ""),
        ("es", ""),
        ("s", ""),
        ("e", ""),
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending) + instead
    return word
