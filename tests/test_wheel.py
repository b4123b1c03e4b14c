"""The wheel holds what it should, and imports on its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent


def test_wheel_holds_both_packages_and_imports(tmp_path: Path) -> None:
    """What the build backend packs, which pip asks too, is both packages with their type marks and nothing of the workshop; it imports."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    backend = project["build-system"]["build-backend"]
    build = f"import sys, {backend}; {backend}.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, timeout=120)
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
