"""The command around an engine: it submits lines, shows the progress, and writes reports."""

import argparse
import csv
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Protocol

from payouts import COLUMNS, Line, open_toolkit, read_lines
from rich.console import Console
from rich.progress import Progress

from payman_sdk.errors import PaymanError

Result = dict[str, str]
REPORT_COLUMNS = [*COLUMNS, "outcome", "payment_id", "task_id", "reason"]


class Engine(Protocol):
    """Runs lines durably: Celery, DBOS, or another."""

    def submit(self, lines: list[Line]) -> None:
        """Submit lines. Leave a line alone that is in progress or paid."""

    def collect(self, lines: list[Line]) -> dict[str, Result]:
        """Return the known results, by number. Submit a line again whose job was lost."""


def write(path: Path, rows: list[Result]) -> None:
    """Write a report in one step, so that it is complete whenever the program is killed."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, REPORT_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        file.flush()
        os.fsync(
            file.fileno()
        )  # or a machine that loses its power may have replaced a report by an empty file
    draft.replace(path)


def follow(engine: Engine, lines: list[Line], console: Console) -> dict[str, Result]:
    """Submit the lines, and wait until each has a result."""
    results: dict[str, Result] = {}
    engine.submit(lines)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Paying", total=len(lines))
        while open_lines := [line for line in lines if line.number not in results]:
            results |= engine.collect(open_lines)
            progress.update(bar, completed=len(results))
            time.sleep(0.2 if results else 0.05)
    return results


def main(engine: Engine) -> int:
    """Run the command; return 0 if every line is paid, 1 if not, 2 if it could not start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help=f"a CSV file with the columns {', '.join(COLUMNS)}")
    source: Path = parser.parse_args().file
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    try:
        lines = list(read_lines(source))
        open_toolkit().client.get_access_token()  # wrong credentials stop here, and not at every line
    except (OSError, ValueError, csv.Error, PaymanError) as error:
        console.print(f"{source}: {error}" if isinstance(error, (UnicodeError, csv.Error)) else str(error))
        return 2
    results = follow(engine, lines, console)
    rows = [results[line.number] for line in lines]
    undecided = [row for row in rows if row["outcome"] == "undetermined"]
    write(source.with_suffix(".undetermined.csv"), undecided)  # what a person has to decide
    write(source.with_suffix(".report.csv"), rows)  # last: when it is there, all is done
    for row in rows:
        if row["outcome"] != "paid":
            console.print(f"{row['number']}: {row['outcome']}: {row['reason']}"[:200])
    counted = Counter(row["outcome"] for row in rows)
    print(", ".join(f"{count} {outcome}" for outcome, count in counted.most_common()) or "nothing to pay")
    return 0 if set(counted) <= {"paid"} else 1


def finish(result: Result) -> Result:
    """Return the result of a line after the last try. A person decides what is still unknown."""
    return {**result, "outcome": "undetermined"} if result["outcome"] == "later" else result


if __name__ == "__main__":
    sys.exit("Run with_dbos.py or with_celery.py.")
