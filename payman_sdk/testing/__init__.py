"""What tests of programs that use the SDK need, and the SDK's own tests: see the modules.

`payman_sdk.testing.plugin` has the fixtures that pytest finds by itself: a local Payman, clients of it, and settings for
cassettes (`scrubbing`, `matching`, `recording`). It needs the extra `testing`: `pip install 'paymanai-sdk[testing]'`.

`tests.faults` puts a network that fails between a client and the sandbox, and counts what became of the
money. It needs the extra `sandbox`: `pip install 'paymanai-sdk[sandbox]'`.

Example:
    >>> from tests.faults import Plan
    >>> Plan(seed=1).fault(ask=3, number=0) == Plan(seed=1).fault(ask=3, number=0)
    True
"""
