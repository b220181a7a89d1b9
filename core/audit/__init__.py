"""The record of who did what, and the proof that nobody altered it since."""

from __future__ import annotations

from core.audit.entries import ActionMisnamed, PersonalDataInAudit, record

__all__ = ["ActionMisnamed", "PersonalDataInAudit", "record"]
