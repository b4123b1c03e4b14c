"""The pytest plugin: fixtures for tests of programs that use the SDK.

pytest loads it wherever the SDK is installed, so it imports what it needs when it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from payman_sdk.testing.recording import Recorder

_RECORDER = pytest.StashKey["Recorder"]()


@pytest.fixture(scope="session")
def payman_vcr_config(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Settings for pytest-recording: cassettes that hold no secret, and that are played although ids and tokens are new.

    Example:
        In `conftest.py`, or in a test module:

        ```python
        @pytest.fixture(scope="module")
        def vcr_config(payman_vcr_config):
            return payman_vcr_config
        ```

        Then mark tests with `@pytest.mark.vcr`, record them once with `pytest --record-mode=rewrite`, and run them without a
        network from then on.
    """
    return _recorder(pytestconfig).config()


@pytest.hookimpl(optionalhook=True)
def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    """Prepares each cassette of pytest-recording; those with other settings stay as they are."""
    _recorder(config).begin(vcr)


def _recorder(config: pytest.Config) -> Recorder:
    from payman_sdk.testing.recording import Recorder

    return config.stash.setdefault(_RECORDER, Recorder())
