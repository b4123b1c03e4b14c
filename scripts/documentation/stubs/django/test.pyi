from typing import Any

class _Answer:
    status_code: int
    def json(self) -> Any: ...

class Client:
    def post(self, path: str) -> _Answer: ...
