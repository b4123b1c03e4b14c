from pathlib import Path
from typing import Any

import pytest

from tests.yaml_text import load_yaml


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "spec" / "payman.openapi.yaml"
    loaded: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"))
    return loaded
