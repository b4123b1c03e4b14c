"""The models of requests and answers. Each is imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .agent_authentication import AgentAuthentication
    from .agent_capabilities import AgentCapabilities
    from .agent_card import AgentCard
    from .agent_provider import AgentProvider
    from .agent_skill import AgentSkill
    from .artifact import Artifact
    from .cancel_task_request import CancelTaskRequest
    from .data_content import DataContent
    from .data_part import DataPart
    from .error_answer import ErrorAnswer
    from .file_content import FileContent
    from .file_part import FilePart
    from .get_task_request import GetTaskRequest
    from .grant_type import GrantType
    from .json_rpc_error import JsonRpcError
    from .legacy_token_response import LegacyTokenResponse
    from .message import Message
    from .metadata import Metadata
    from .oauth_error import OAuthError
    from .other_part import OtherPart
    from .resubscribe_task_request import ResubscribeTaskRequest
    from .scope import Scope
    from .send_task_request import SendTaskRequest
    from .send_task_streaming_request import SendTaskStreamingRequest
    from .task import Task
    from .task_artifact_update_event import TaskArtifactUpdateEvent
    from .task_id_params import TaskIdParams
    from .task_query_params import TaskQueryParams
    from .task_response import TaskResponse
    from .task_send_params import TaskSendParams
    from .task_state import TaskState
    from .task_status import TaskStatus
    from .task_status_update_event import TaskStatusUpdateEvent
    from .task_stream_response import TaskStreamResponse
    from .text_part import TextPart
    from .token_response import TokenResponse

_MODULES: dict[str, str] = {
    "AgentAuthentication": ".agent_authentication",
    "AgentCapabilities": ".agent_capabilities",
    "AgentCard": ".agent_card",
    "AgentProvider": ".agent_provider",
    "AgentSkill": ".agent_skill",
    "Artifact": ".artifact",
    "CancelTaskRequest": ".cancel_task_request",
    "DataContent": ".data_content",
    "DataPart": ".data_part",
    "ErrorAnswer": ".error_answer",
    "FileContent": ".file_content",
    "FilePart": ".file_part",
    "GetTaskRequest": ".get_task_request",
    "GrantType": ".grant_type",
    "JsonRpcError": ".json_rpc_error",
    "LegacyTokenResponse": ".legacy_token_response",
    "Message": ".message",
    "Metadata": ".metadata",
    "OAuthError": ".oauth_error",
    "OtherPart": ".other_part",
    "ResubscribeTaskRequest": ".resubscribe_task_request",
    "Scope": ".scope",
    "SendTaskRequest": ".send_task_request",
    "SendTaskStreamingRequest": ".send_task_streaming_request",
    "Task": ".task",
    "TaskArtifactUpdateEvent": ".task_artifact_update_event",
    "TaskIdParams": ".task_id_params",
    "TaskQueryParams": ".task_query_params",
    "TaskResponse": ".task_response",
    "TaskSendParams": ".task_send_params",
    "TaskState": ".task_state",
    "TaskStatus": ".task_status",
    "TaskStatusUpdateEvent": ".task_status_update_event",
    "TaskStreamResponse": ".task_stream_response",
    "TextPart": ".text_part",
    "TokenResponse": ".token_response",
}
__all__ = (
    "AgentAuthentication",
    "AgentCapabilities",
    "AgentCard",
    "AgentProvider",
    "AgentSkill",
    "Artifact",
    "CancelTaskRequest",
    "DataContent",
    "DataPart",
    "ErrorAnswer",
    "FileContent",
    "FilePart",
    "GetTaskRequest",
    "GrantType",
    "JsonRpcError",
    "LegacyTokenResponse",
    "Message",
    "Metadata",
    "OAuthError",
    "OtherPart",
    "ResubscribeTaskRequest",
    "Scope",
    "SendTaskRequest",
    "SendTaskStreamingRequest",
    "Task",
    "TaskArtifactUpdateEvent",
    "TaskIdParams",
    "TaskQueryParams",
    "TaskResponse",
    "TaskSendParams",
    "TaskState",
    "TaskStatus",
    "TaskStatusUpdateEvent",
    "TaskStreamResponse",
    "TextPart",
    "TokenResponse",
)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
