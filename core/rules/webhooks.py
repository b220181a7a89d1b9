"""Webhooks, those that come in from the provider and those that go out to the marketplaces: how each stands."""

from __future__ import annotations

from enum import StrEnum

from core.errors import DeskError


class WebhookStatus(StrEnum):
    """An event of the provider's."""

    RECEIVED = "RECEIVED"
    APPLIED = "APPLIED"
    IGNORED = "IGNORED"
    """About nothing that the desk follows."""
    FAILED = "FAILED"


class SecretJustRotated(DeskError):
    """This endpoint got another secret less than a day ago: until {until:%d %B %Y at %H:%M} UTC events are signed with
    both. Rotate it again after that; if a secret has leaked, remove the endpoint and add it again."""


class KeyJustRotated(DeskError):
    """There is another key in place of this one, which ends on {until:%d %B %Y at %H:%M} UTC. Sign with the new key, or
    have an administrator of the desk make one."""


class KeyShownOnce(DeskError):
    """This request was made before and made another key, which was in its first answer only. If that answer did not
    reach you, have an administrator of the desk make a key; the one that signed this request ends on
    {until:%d %B %Y at %H:%M} UTC."""


class EventStatus(StrEnum):
    """An event for a marketplace's endpoint."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"
    DROPPED = "DROPPED"
    """Its endpoint was removed first."""
