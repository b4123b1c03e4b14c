"""Types that models and endpoints share."""

from ..types import UNSET, File, FileTypes, RequestFiles, Response, Unset, encode_basic

__all__ = ["UNSET", "File", "FileTypes", "RequestFiles", "Response", "Unset", "encode_basic"]
