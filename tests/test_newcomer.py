"""A newcomer's path: the commands that README prints, in its order, and no other."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.environments import is_out_of_reach, with_lent

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = "".join(re.findall(r"^```bash\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)).splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NEEDED = PROJECT["project"]
TRIED_ELSEWHERE = ("./scripts/demo", "./scripts/test")
"""The demo has its own test; the other runs this test."""


def test_a_newcomer_pays_a_test_invoice(tmp_path: Path) -> None:
    """Each command of README runs in order; the payment is made before the clone.

    What the SDK, its build and the extras that README names need need not be fetched and unpacked: pip finds it in the
    environment, and fetches what else they ask for. So the payment is made with that and nothing more.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PAYMAN_", "PYTEST", "VIRTUAL_ENV"))
    }
    environment |= {
        "PIP_NO_COMPILE": "1",  # most of it is never imported
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # which is how pip spells that it builds with what is lent
    }
    folder, said = tmp_path, ""
    (extras,) = re.findall(r"paymanai-sdk\[([\w,]+)\] @ git", "\n".join(COMMANDS))
    needed = [*NEEDED["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in extras.split(","):
        needed += NEEDED["optional-dependencies"][extra]
    for command in COMMANDS:
        if command in TRIED_ELSEWHERE:
            assert (folder / command).exists()
            continue
        if command.startswith("cd "):
            folder /= command.removeprefix("cd ")
            continue
        if command.startswith("python3 -m venv "):
            with_lent(folder / command.split()[-1], needed)
            continue
        # pip takes no `git+file:` address with extras.
        here = re.sub(r"paymanai-sdk(\[[\w,]+\]) @ git\+https:\S+\.git", rf"{ROOT}\1", command)
        here = re.sub(r"https://\S+/payman-sdk-python\.git", f"{ROOT} payman-sdk-python", here)
        done = subprocess.run(
            ["bash", "-c", here],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        if is_out_of_reach(done.stdout + done.stderr):
            pytest.skip("what README installs cannot be installed: no package index is within reach")
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        said += done.stdout
    assert said.endswith("\nPaid 10.00 TSD to Test Payee.\n")
