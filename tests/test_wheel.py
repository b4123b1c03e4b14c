"""The wheel holds what it should, and imports on its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent


def test_wheel_holds_both_packages_and_imports(tmp_path: Path) -> None:
    """`pip wheel .` packs both packages with their type marks and nothing of the workshop; what it packs imports."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-qq",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(tmp_path),
            str(ROOT),
        ],
        check=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("paymanai_sdk-2.0.0.dev0-*.whl")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(unpacked)
    assert {"payman_sdk/py.typed", "payman_api/py.typed", "payman_sdk/sandbox/__main__.py"} <= set(names)
    assert {name.split("/")[0] for name in names} == {
        "payman_sdk",
        "payman_api",
        "paymanai_sdk-2.0.0.dev0.dist-info",
    }
    program = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
        "import payman_sdk, payman_api, payman_sdk._client.sync\n"
        "print(payman_sdk.__file__, payman_api.__file__, payman_sdk.PaymanClient.__name__)"
    )
    # -I: without the working directory, where the packages of the checkout would be found.
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == [
        str(unpacked / "payman_sdk" / "__init__.py"),
        str(unpacked / "payman_api" / "__init__.py"),
        "PaymanClient",
    ]
