class _Settings:
    def configure(self, **values: object) -> None: ...

settings: _Settings
