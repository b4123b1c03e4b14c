from enum import StrEnum


class TaskState(StrEnum):
    CANCELED = "canceled"
    COMPLETED = "completed"
    FAILED = "failed"
    INPUT_REQUIRED = "input-required"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    WORKING = "working"

    def __str__(self) -> str:
        return str(self.value)
