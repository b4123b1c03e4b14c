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
    async_task_stream = LazyModule("payman_sdk._client.async_task_stream")
    authorizations = LazyModule("payman_sdk._core.auth.authorization")
    configs = LazyModule("payman_sdk._client.config_types")
    decimal = LazyModule("decimal")
    events = LazyModule("payman_sdk._core.events")
    key_stores = LazyModule("payman_sdk._core.key_store")
    grants = LazyModule("payman_sdk._core.auth.grants")
    hooks = LazyModule("payman_sdk._core.hook_payloads")
    httpx = LazyModule("httpx")
    observers = LazyModule("payman_sdk._telemetry.observer")
    options_of = LazyModule("payman_sdk._core.option_types")
    payments = LazyModule("payman_sdk._core.payment_types")
    responses = LazyModule("payman_sdk._core.task_response")
    settings = LazyModule("payman_sdk._telemetry.settings")
    stored_token = LazyModule("payman_sdk._core.auth.stored_token")
    task_stream = LazyModule("payman_sdk._client.task_stream")
    transports = LazyModule("payman_sdk._io.given_transport")

# fmt: off
__all__ = [
    "async_task_stream", "authorizations", "configs", "decimal", "events", "grants", "hooks", "httpx", "key_stores",
    "observers", "options_of", "payments", "responses", "settings", "stored_token", "task_stream", "transports",
]
# fmt: on
