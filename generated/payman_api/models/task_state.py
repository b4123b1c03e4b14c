from enum import StrEnum


class TaskState(StrEnum):
    """The states of a task, in the protocol's own spelling. `rejected` (the agent will not do it: a final
    state) and `auth-required` (a person has to sign in or
    allow something elsewhere: the task waits) come from A2A 0.2 and later, and have not been seen on
    Payman."""

    AUTH_REQUIRED = "auth-required"
    CANCELED = "canceled"
    COMPLETED = "completed"
    FAILED = "failed"
    INPUT_REQUIRED = "input-required"
    REJECTED = "rejected"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    WORKING = "working"
