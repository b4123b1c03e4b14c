"""What every token store does, and the token that it keeps: implement `TokenStore` to add a store."""

from payman_sdk._core.auth.stored_token import StoredToken, TokenStore

__all__ = ["StoredToken", "TokenStore"]
