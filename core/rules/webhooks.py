"""Webhooks, those that come in from the provider and those that go out to the marketplaces: how each stands."""

from __future__ import annotations

from enum import StrEnum


class WebhookStatus(StrEnum):
    """An event of the provider's."""

    RECEIVED = "RECEIVED"
    APPLIED = "APPLIED"
    IGNORED = "IGNORED"
    """About nothing that the desk follows."""
    FAILED = "FAILED"


class EventStatus(StrEnum):
    """An event for a marketplace's endpoint."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"
    DROPPED = "DROPPED"
    """Its endpoint was removed first."""
