"""Run as scripts/regenerate, which sets up what it needs."""

import gc
import signal
import sys

if __name__ == "__main__":
    # What a run makes stays until its end: to look for garbage in it takes a sixth of the time.
    gc.disable()
    from scripts.regeneration.command import main

    # Asked to end, the program cleans up after itself, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main())
