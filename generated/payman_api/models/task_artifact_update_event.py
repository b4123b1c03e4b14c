from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base import OpenModel
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from .artifact import Artifact
    from .metadata import Metadata


class TaskArtifactUpdateEvent(OpenModel[Any]):
    """An artifact was begun, extended or completed.

    Attributes:
        id: The task's id.
        artifact: Something the agent has made; the answer itself, or a piece of it while it is
            streamed.
    """

    __match_args__ = ("id", "artifact", "metadata")
    __slots__ = __match_args__

    id: str
    artifact: Artifact
    metadata: Metadata | None | Unset

    def __init__(self, id: str, artifact: Artifact, metadata: Metadata | None | Unset = UNSET) -> None:
        self.id = id
        self.artifact = artifact
        self.metadata = metadata
        self.additional_properties = {}
