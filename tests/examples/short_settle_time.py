"""Runs a program as Python would, but a look-up believes after moments that a task is unknown: short_settle_time.py PROGRAM [ARGUMENTS]."""

import runpy
import sys
from pathlib import Path

from payman_sdk import _config

_config._DEFAULT_SETTLE_TIME = 0.2
del sys.argv[0]
sys.path[0] = str(Path(sys.argv[0]).parent)
runpy.run_path(sys.argv[0], run_name="__main__")
