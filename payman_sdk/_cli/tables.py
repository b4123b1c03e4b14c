"""Tables of plain text, which people read and line tools cut."""

from __future__ import annotations

from collections.abc import Sequence

from payman_sdk._text.sanitizer import sanitize

_WIDEST = 60
"""Characters of a cell that are shown; `--json` shows all of them."""


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str | None]]) -> list[str]:
    r"""Format rows as lines of aligned columns. Cells are words of others: each stays on its line, and nothing in it hides.

    Example:
        >>> from payman_sdk._cli.tables import format_table
        >>> print("\n".join(format_table(["NAME", "ID"], [["Ada\nEve", "pd-1"], ["Bob", None]])))
        NAME      ID
        Ada\nEve  pd-1
        Bob       -
    """
    from rich.cells import cell_len

    cells = [[sanitize(cell or "-", one_line=True, max_length=_WIDEST) for cell in row] for row in rows]
    lines = [list(headings), *cells]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(headings))]
    return [
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
