from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "spec" / "payman.openapi.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded
