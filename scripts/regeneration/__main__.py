"""Run as scripts/regenerate, which sets up what it needs."""

import signal
import sys

from scripts.regeneration.command import main

if __name__ == "__main__":
    # Asked to end, the program cleans up after itself, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main())
