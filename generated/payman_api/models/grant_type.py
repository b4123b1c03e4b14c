from enum import StrEnum


class GrantType(StrEnum):
    """What a client can exchange for an access token."""

    AUTHORIZATION_CODE = "authorization_code"
    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"
