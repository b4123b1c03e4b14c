# The names of Celery that the documentation uses.

from collections.abc import Callable
from typing import Any

class AsyncResult:
    def get(self) -> Any: ...

class Task:
    def delay(self, *arguments: object) -> AsyncResult: ...

class _Settings:
    task_always_eager: bool
    def update(self, **settings: object) -> None: ...

class Celery:
    conf: _Settings
    def __init__(self, main: str, *, broker: str) -> None: ...
    def task(
        self,
        *,
        bind: bool,
        autoretry_for: tuple[type[Exception], ...],
        retry_backoff: int,
        retry_backoff_max: int,
        max_retries: int,
        soft_time_limit: int,
    ) -> Callable[[Callable[..., Any]], Task]: ...
