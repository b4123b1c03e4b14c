"""The picture of a run: bars on logarithmic scales, as SVG that is readable on a light and on a dark page. No I/O."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape  # nosec B406 # it parses nothing

from scripts.benchmarks.bench import Measured

_WIDTH, _LABELS, _BAR, _GAP, _HEAD = 800, 260, 14, 6, 34
_ROOM = _WIDTH - _LABELS - 110
"""The length of the longest bar; its figure stands behind it."""

_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1b1f24 } .paper { fill: #ffffff } .head { font-weight: 600; font-size: 13px }
.other { fill: #9aa5b1 } .ours { fill: #00796b } .own { font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #e6e9ec } .paper { fill: #1b1f24 } .other { fill: #6b7785 } .ours { fill: #4db6ac } }
"""


def svg(all_measured: Sequence[Measured]) -> str:
    """The rows that are drawn, one below the other."""
    shapes: list[str] = []
    top, told = 12, []
    for measured in all_measured:
        row = measured.row
        values = {
            label: statistics.median(map(row.value, readings))
            for label, readings in measured.readings.items()
            if row.drawn and readings
        }
        ours = {side.label for side in row.sides if side.peer.startswith("ours")}
        if values:
            better = "more" if row.more_is_better else "less"
            shapes.append(
                _text(12, top + 18, f"{row.title} ({row.unit}, {better} is better; logarithmic)", "head")
            )
            shapes += _bars(values, ours, top + _HEAD)
            top += _HEAD + len(values) * (_BAR + _GAP) + 14
            told.append(
                f"{row.title}, {row.unit}: {', '.join(f'{name} {_figure(values[name])}' for name in values)}."
            )
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" role="img" aria-labelledby="title desc">',
            '<title id="title">This SDK beside its peers, on logarithmic scales</title>',
            f'<desc id="desc">{escape(" ".join(told) or "Nothing was measured.")}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{top}" rx="8"/>',
            *shapes,
            "</svg>\n",
        )
    )


def _bars(values: Mapping[str, float], ours: set[str], top: int) -> list[str]:
    positive = [value for value in values.values() if value > 0]
    # A bar that is half of the least has no length, so the least can be seen too.
    least, most = (min(positive) / 2, max(positive)) if positive else (1.0, 2.0)
    shapes = []
    for position, (label, value) in enumerate(values.items()):
        y = top + position * (_BAR + _GAP)
        length = _ROOM * math.log(max(value, least) / least) / math.log(most / least)
        is_ours = label in ours
        shapes.append(_text(_LABELS - 8, y + 11, label, "own" if is_ours else "", anchor="end"))
        kind = "ours" if is_ours else "other"
        shapes.append(
            f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2"/>'
        )
        shapes.append(_text(_LABELS + length + 6, y + 11, _figure(value), "own" if is_ours else ""))
    return shapes


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
