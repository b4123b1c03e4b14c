"""Tests that need an index skip where there is none, and fail for every other reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.environments import empty, install, is_out_of_reach

pytestmark = pytest.mark.slow


def test_only_an_index_out_of_reach_is_not_a_failure(tmp_path: Path) -> None:
    """Where pip reaches no index that is told from everything else that may be wrong with an installation."""
    python = empty(tmp_path)
    alone = {"PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": ""}
    nowhere = install(python, "paymanai-sdk", PIP_INDEX_URL="http://127.0.0.1:9/simple", **alone)
    assert nowhere.returncode != 0 and is_out_of_reach(nowhere.stderr)
    broken = install(python, "--no-index", str(tmp_path / "paymanai_sdk-1.0.8-py3-none-any.whl"))
    assert broken.returncode != 0 and not is_out_of_reach(broken.stderr)
