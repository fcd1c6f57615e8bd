"""The replies of a child process, validated: what arrives was written in a stranger's process."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int


class Ready(_Reply):
    """The algorithm and its model are loaded."""

    reply: Literal["ready"]


class NoWeights(_Reply):
    """The model's weights cannot be had; the message is the adapter's own."""

    reply: Literal["no weights"]
    message: str
    traceback: str


class Labels(_Reply):
    """Labels are in the shared file; what they cost."""

    reply: Literal["labels"]
    seconds: float
    peak_mb: float


class Invalid(_Reply):
    """What the algorithm returned is no label image."""

    reply: Literal["invalid"]
    message: str


class Raised(_Reply):
    """The adapter's code raised an exception."""

    reply: Literal["raised"]
    message: str
    traceback: str


class Progress(_Reply):
    """What a training reports on its way."""

    reply: Literal["progress"]
    message: dict[str, Any]


class Trained(_Reply):
    """What a training returned."""

    reply: Literal["trained"]
    result: dict[str, Any]


Reply = Ready | NoWeights | Labels | Invalid | Raised | Progress | Trained

REPLY: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="reply")])
