"""Pay each line of a CSV file through Payman once, however often you run it and wherever it is killed."""

import argparse
import csv
import re
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import track

from payman_sdk import FormattedTaskResponse, OutgoingAsk, PaymanClient
from payman_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    IdempotencyKeyReuseError,
    OutcomeUnknownError,
    PaymanError,
)

CURRENCY = "TSD"
COLUMNS = ["number", "payee", "amount", "memo"]
RESULT_COLUMNS = ["line", *COLUMNS, "status", "task_id", "said"]
SETTLED = {"paid", "refused", "failed"}  # the next run leaves these alone

Row = dict[str, str]


@dataclass(frozen=True)
class Line:
    """One payment. Its number names it permanently: no other payment has it, in this file or in another."""

    number: str
    payee: str
    amount: Decimal
    memo: str

    @property
    def key(self) -> str:
        """Return the idempotency key: the same number is the same payment, in every run."""
        return f"payment-{self.number}"

    @property
    def text(self) -> str:
        """Return the order in words."""
        memo = f". Description: {self.memo}" if self.memo else ""
        return f'send {self.amount:.2f} {CURRENCY} to "{self.payee}"{memo}'


class LimitReachedError(Exception):
    """The payment exceeds what this run may send."""


class Limit:
    """Limits what one run sends in all. A `before_send` hook runs before a payment is sent, and not for one that the agent knows."""

    def __init__(self, most: Decimal | None, lines: list[Line]) -> None:
        self._left = most
        self._amounts = {line.key: line.amount for line in lines}

    def __call__(self, outgoing: OutgoingAsk) -> None:
        """Count a payment, or block it."""
        if self._left is None:
            return
        amount = self._amounts[outgoing.idempotency_key or ""]
        if amount > self._left:
            raise LimitReachedError(
                f"{amount:.2f} is more than the {self._left:.2f} that this run may still send"
            )
        self._left -= amount


def read_line(cells: list[str], taken: set[str]) -> Line:
    """Read a line of the file; raise a `ValueError` that says what is wrong with it."""
    if len(cells) != len(COLUMNS):
        raise ValueError(f"it has {len(cells)} cells, not {len(COLUMNS)}")
    number, payee, amount, memo = (cell.strip() for cell in cells)
    if not number or not number.isprintable():
        raise ValueError("it has no number")
    if number in taken:
        raise ValueError(f"an earlier line has the number {number}")
    if not payee or '"' in payee or not payee.isprintable():
        raise ValueError("the payee is not a name")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", amount) or not Decimal(amount):
        raise ValueError(f"{amount or 'nothing'} is not an amount; write it as 12.50")
    if not memo.isprintable() or len(memo) > 200:
        raise ValueError("the memo has a line break in it, or is longer than 200 characters")
    return Line(number, payee, Decimal(amount), memo)


def read(path: Path) -> tuple[dict[int, Line], list[Row]]:
    """Read the payments of the file by their line, and a result for each line that is not a payment."""
    lines: dict[int, Line] = {}
    bad: list[Row] = []
    taken: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        if next(rows, None) != COLUMNS:
            raise ValueError(f"{path}: the first line has to be {','.join(COLUMNS)}")
        begins = 2
        for cells in rows:
            place, begins = begins, rows.line_num + 1  # a quoted cell may span several lines
            if not any(cells):
                continue
            try:
                line = lines[place] = read_line(cells, taken)
                taken.add(line.number)
            except ValueError as error:
                fields = dict(zip(COLUMNS, cells, strict=False))
                bad.append({"line": str(place), **fields, "status": "invalid", "said": str(error)})
    return lines, bad


def classify_answer(response: FormattedTaskResponse) -> str:
    """Return the status of a payment, from the agent's last words. Adapt this to what your agent says."""
    if response.requires_input:
        return "waiting"
    if response.status == "failed":
        return "failed"
    words = response.artifacts[-1]["content"] if response.artifacts else ""
    if "No payment was made" in words:
        return "refused"
    return "paid" if re.search(r"\bSent\b", words) else "unclear"


def pay(client: PaymanClient, line: Line) -> Row:
    """Pay a line, or find the outcome of an earlier run; return its result."""
    try:
        response = client.ask(line.text, idempotency_key=line.key, new_session=True)
    except LimitReachedError as error:
        return {"status": "held", "said": str(error)}
    except (AuthenticationError, ConfigurationError):
        raise  # every other line would fail in the same way
    except OutcomeUnknownError as error:
        return {"status": "unknown", "task_id": error.task_id or "", "said": error.message}
    except IdempotencyKeyReuseError as error:
        said = f"number {line.number} belongs to another payment"
        return {"status": "conflict", "task_id": error.task_id or "", "said": said}
    except PaymanError as error:
        return {"status": "error", "task_id": error.task_id or "", "said": error.message}
    said = "".join(letter if letter.isprintable() else " " for letter in response.text)
    return {"status": classify_answer(response), "task_id": response.task_id, "said": " ".join(said.split())}


def load(path: Path) -> dict[str, Row]:
    """Load the results of earlier runs, by number."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != RESULT_COLUMNS:
            raise ValueError(f"{path} is not a result file of this program")
        return {row["number"]: row for row in rows if row["status"] != "invalid"}


def save(path: Path, rows: list[Row]) -> None:
    """Replace the result file in one step, so that it is complete whenever the program is killed."""
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, RESULT_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(path)


def run(source: Path, target: Path, limit: Decimal | None, timeout: float, console: Console) -> Counter[str]:
    """Pay what is not settled yet, and return how many lines have which status."""
    lines, bad = read(source)
    results = load(target)
    for row in bad:
        console.print(f"line {row['line']}: {row['said']}")
    guard = Limit(limit, list(lines.values()))
    with PaymanClient.from_env(before_send=guard, timeout=timeout) as client:
        for place, line in track(lines.items(), "Paying", console=console, disable=not console.is_terminal):
            fields = {
                "number": line.number,
                "payee": line.payee,
                "amount": f"{line.amount:.2f}",
                "memo": line.memo,
            }
            before = results.get(line.number, {})
            if before.get("status") in SETTLED and fields.items() <= before.items():
                continue
            row = {"line": str(place), **fields, **pay(client, line)}
            results[line.number] = row
            save(target, [*results.values(), *bad])
            if row["status"] != "paid":
                console.print(f"line {place}: {row['status']}: {row['said']}")
    save(target, [*results.values(), *bad])
    return Counter(
        [results[line.number]["status"] for line in lines.values()] + [row["status"] for row in bad]
    )


def amount(text: str) -> Decimal:
    """Read an amount of the command line."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise ValueError(text)
    return Decimal(text)


def main() -> int:
    """Run the command; return the exit status: 0 if every line is paid, 1 if not, 2 if it could not start or continue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help=f"a CSV file with the columns {', '.join(COLUMNS)}")
    parser.add_argument(
        "--results", type=Path, help="where to write the result of each line (FILE.results.csv)"
    )
    parser.add_argument("--limit", type=amount, help=f"how much this run may send in all, in {CURRENCY}")
    parser.add_argument(
        "--timeout", type=float, default=60, help="seconds for one line, after which it is unknown (60)"
    )
    given = parser.parse_args()
    target = given.results or given.file.with_name(f"{given.file.name}.results.csv")
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    try:
        with FileLock(f"{target}.lock", timeout=0):  # two runs at once could send one key twice
            counted = run(given.file, target, given.limit, given.timeout, console)
    except Timeout:
        sys.exit(f"Another run works on {target}.")
    except KeyboardInterrupt:
        console.print("Stopped. Run it again, and it goes on.")
        return 130
    except (OSError, ValueError, csv.Error, PaymanError) as error:
        console.print(str(error))
        return 2
    print(", ".join(f"{count} {status}" for status, count in counted.most_common()) or "nothing to pay")
    return 0 if set(counted) <= {"paid"} else 1


if __name__ == "__main__":
    sys.exit(main())
