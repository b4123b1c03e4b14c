"""Types that models and endpoints share."""

from ..types import UNSET, File, FileTypes, Model, RequestFiles, Response, Unset, encode_basic

__all__ = ["UNSET", "File", "FileTypes", "Model", "RequestFiles", "Response", "Unset", "encode_basic"]
