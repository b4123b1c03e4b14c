"""A network that fails on purpose between a client and the sandbox, and a count of what became of the money.

`python -m tests.faults --asks 1000 --seed 1` makes a thousand payments through it, in every way there is
to ask, and tells whether the promise held: each was made once at most, and the caller was told how it ended. A plan says
which request meets which fault; the same seed is the same plan.

Example:
    >>> from tests.faults import Plan
    >>> plan = Plan(seed=1)
    >>> print(plan.fault(ask=10, number=1), plan.fault(ask=21, number=1), plan.fault(ask=22, number=1), sep="; ")
    cut at 30%, reset; odd; 409-taken
"""

from tests.faults.fault_kinds import Fault as Fault
from tests.faults.fault_kinds import Kind as Kind
from tests.faults.plan import Plan as Plan
from tests.faults.proxy import FaultProxy as FaultProxy
from tests.faults.proxy import Line as Line
from tests.faults.runner import Outcome as Outcome
from tests.faults.runner import run as run
from tests.faults.settings import Settings as Settings
