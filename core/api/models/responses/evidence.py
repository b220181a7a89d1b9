"""What the parties submitted."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, PageAnswer, Sha256
from core.rules.evidence import EvidenceKind


class EvidenceAnswer(TypedDict):
    id: int
    milestone: int
    dispute: int | None
    party: str
    kind: EvidenceKind
    file_name: str
    media_type: str
    size_bytes: int
    sha256: Sha256
    caption: str
    at: Moment


class EvidencesAnswer(PageAnswer):
    items: list[EvidenceAnswer]
