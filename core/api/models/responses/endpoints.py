"""Endpoints, their secrets, and keys."""

from __future__ import annotations

from typing_extensions import TypedDict  # the description needs this one before Python 3.12

from core.api.models.responses.plain import Moment, PageAnswer


class EndpointAnswer(TypedDict):
    """`waiting`: events that are still to be told; `failed`: those that were given up."""

    id: int
    url: str
    last_sequence: int
    waiting: int
    failed: int


class EndpointsAnswer(PageAnswer):
    items: list[EndpointAnswer]


class EndpointSecretAnswer(TypedDict):
    """`signing_secret` signs the events from now on; where it replaced another, both do until `both_until`. It is in
    this answer and in no other."""

    id: int
    url: str
    signing_secret: str
    both_until: Moment | None


class TestEventAnswer(TypedDict):
    endpoint: int
    event: str


class RemovedAnswer(TypedDict):
    removed: int


class KeyAnswer(TypedDict):
    """Another key in place of the one that signed this request, which opens until `previous_until`. The key is in
    this answer and in no other."""

    api_key: str
    signing_secret: str
    previous_until: Moment


class ReplayAnswer(TypedDict):
    endpoint: int
    queued: int
