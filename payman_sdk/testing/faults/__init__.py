"""A network that fails on purpose between a client and the sandbox, and a count of what became of the money.

`python -m payman_sdk.testing.faults --asks 1000 --seed 1` makes a thousand payments through it, in every way there is
to ask, and tells whether the promise held: each was made once at most, and the caller was told how it ended. A plan says
which request meets which fault; the same seed is the same plan.

Example:
    >>> from payman_sdk.testing.faults import Plan
    >>> plan = Plan(seed=1)
    >>> print(plan.fault(ask=10, number=1), plan.fault(ask=21, number=1), plan.fault(ask=22, number=1), sep="; ")
    cut at 30%, reset; odd; 409-taken
"""

from payman_sdk.testing.faults.kinds import Fault as Fault
from payman_sdk.testing.faults.kinds import Kind as Kind
from payman_sdk.testing.faults.plan import Plan as Plan
from payman_sdk.testing.faults.proxy import FaultProxy as FaultProxy
from payman_sdk.testing.faults.proxy import Line as Line
from payman_sdk.testing.faults.running import Outcome as Outcome
from payman_sdk.testing.faults.running import run as run
from payman_sdk.testing.faults.settings import Settings as Settings
