"""The rows, as `rows.toml` declares them: what is measured, whose sides are compared, and what they should reach."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.benchmarks.measurement import Aim, Row, Side, Value
from scripts.benchmarks.peers import PEERS

_COLUMNS: Mapping[str, Value] = {
    "µs": lambda reading: reading.seconds / reading.count * 1e6,
    "a second": lambda reading: reading.count / reading.seconds,
    "CPU µs": lambda reading: reading.busy / reading.count * 1e6,
    "ms": lambda reading: reading.seconds * 1e3,
    "CPU ms": lambda reading: reading.busy * 1e3,
    "MiB of memory": lambda reading: reading.size / 2**20,
}


def build_rows(*, quick: bool) -> tuple[Row, ...]:
    """Return all rows, in the order in which they are measured."""
    declared = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    speed = "quick" if quick else "full"
    amounts = {name: amount[speed] for name, amount in declared["amounts"].items()}
    return tuple(_build_row(row, amounts, quick=quick) for row in declared["row"])


def _build_row(row: dict[str, Any], amounts: Mapping[str, int], *, quick: bool) -> Row:
    rounds, quick_rounds, name = row.pop("rounds"), row.pop("quick_rounds"), row.pop("amount", None)
    amount = amounts.get(name, 1)
    arguments = {"task": f"task {amount}"} if name == "events" else {"calls": amount} if name else {}
    sides = [Side(label, peer, does, arguments, amount) for label, peer, does in row["sides"]]
    return Row(
        **row
        | {
            "title": row["title"].format(amount=amount),
            "columns": {column: _COLUMNS[column] for column in row["columns"]},
            # Without any, whoever can be imported is compared.
            "sides": sides or [Side(peer.name, peer.name) for peer in PEERS if peer.imports],
            "aims": [Aim(**aim) for aim in row["aims"]],
            "rounds": quick_rounds if quick else rounds,
        }
    )
