"""Compare the record with what is generated now, or write it anew."""

from __future__ import annotations

import argparse
import sys

from tests.regenerate.golden import difference, generated, record, recorded


def main() -> int:
    """Records, or compares; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.regenerate.golden", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the record anew")
    if parser.parse_args().record:
        record()
        return 0
    said = difference(recorded(), generated())
    if said:
        print(said, file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
