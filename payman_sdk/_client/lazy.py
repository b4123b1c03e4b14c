"""The modules that annotations of methods name, imported when somebody evaluates an annotation: most programs never do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payman_sdk._annotations import LazyModule

if TYPE_CHECKING:
    import decimal

    import httpx

    from payman_sdk._client import async_task_stream, task_stream
    from payman_sdk._client import config_types as configs
    from payman_sdk._core import events
    from payman_sdk._core import hook_payloads as hooks
    from payman_sdk._core import key_store as key_stores
    from payman_sdk._core import option_types as options_of
    from payman_sdk._core import payment_types as payments
    from payman_sdk._core import task_response as responses
    from payman_sdk._core.auth import authorization as authorizations
    from payman_sdk._core.auth import grants, stored_token
    from payman_sdk._io import given_transport as transports
    from payman_sdk._telemetry import observer as observers
    from payman_sdk._telemetry import settings
else:
    decimal, httpx = LazyModule("decimal"), LazyModule("httpx")
    async_task_stream = authorizations = configs = events = grants = hooks = key_stores = LazyModule()
    observers = options_of = payments = responses = settings = LazyModule()
    stored_token = task_stream = transports = LazyModule()

# fmt: off
__all__ = [
    "async_task_stream", "authorizations", "configs", "decimal", "events", "grants", "hooks", "httpx", "key_stores",
    "observers", "options_of", "payments", "responses", "settings", "stored_token", "task_stream", "transports",
]
# fmt: on
