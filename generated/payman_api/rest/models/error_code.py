from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a request was refused."""

    ENTITY_NOT_FOUND = "entity_not_found"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    INVALID_PAYLOAD = "invalid_payload"
    NOT_ALLOWED = "not_allowed"
    NOT_AUTHORIZED = "not_authorized"
    VALIDATION_ERROR = "validation_error"
