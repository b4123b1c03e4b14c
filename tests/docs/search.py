"""The search of the built pages, as mkdocs-material runs it in a browser: BM25 over sections, where titles count a thousandfold.

Each word of a question finds every word that begins with it; nothing is stemmed. A section that has all of them moves up.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from pathlib import Path

from attrs import frozen

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
            Counter(_trim(one["title"])),
            Counter(_trim(one["text"])),
            float(one.get("boost", 1)),
        )
        for one in index["docs"]
    ]


def rank_pages(sections: list[Section], question: str) -> list[str]:
    """Return the places of the pages that answer a question, best first: the best section of each."""
    terms = _split(question)
    scores: defaultdict[str, float] = defaultdict(float)
    found: dict[str, set[str]] = {section.location: set() for section in sections}
    holders = Counter(word for section in sections for word in {*section.title, *section.text})
    for field, boost in (("title", _TITLE_BOOST), ("text", 1.0)):
        counts: list[Counter[str]] = [getattr(section, field) for section in sections]
        average = sum(count.total() for count in counts) / len(counts) or 1
        for section, count in zip(sections, counts, strict=True):
            for word, often in count.items():
                # The page asks for every word that begins with a term, a stop word too.
                if matching := [term for term in terms if word.startswith(term)]:
                    rarity = math.log(1 + abs((len(sections) - holders[word] + 0.5) / (holders[word] + 0.5)))
                    weight = often * 2.2 / (1.2 * (0.25 + 0.75 * count.total() / average) + often)
                    scores[section.location] += section.boost * boost * rarity * weight
                    found[section.location].update(matching)
    for location in scores:
        if found[location] == set(terms):
            scores[location] *= 2 if "#" in location else 5
    pages: dict[str, str] = {}
    for location in sorted(scores, key=lambda location: -scores[location]):
        pages.setdefault(location.partition("#")[0], location)
    return list(pages.values())


def _split(text: str) -> list[str]:
    return re.sub(r"<[^>]+>", " ", text).lower().replace("-", " ").split()


def _trim(text: str) -> list[str]:
    """Split a text as lunr's trimmer does: without what is around a word."""
    return [word for found in _split(text) if (word := re.sub(r"^\W+|\W+$", "", found))]
