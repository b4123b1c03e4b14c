"""The errors that the endpoint functions raise."""

from ..errors import AnswerError, ErrorStatus, UnexpectedStatus, UnreadableAnswer, read

__all__ = ["AnswerError", "ErrorStatus", "UnexpectedStatus", "UnreadableAnswer", "read"]
