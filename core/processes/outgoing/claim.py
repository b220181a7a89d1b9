"""What a call needs of its operation, read before the claiming transaction ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.actions.operations.operation_keys import idempotency_key
from core.money import Money
from core.rules.operations import OperationKind


@dataclass(frozen=True)
class Claim:
    """`tried`: it was sent under this key already; `sent_before`: it may have been. `stopped`: it is only asked about,
    because something stops it that was not there when it was sent."""

    id: int
    key: str
    kind: OperationKind
    attempt: int
    amount: Money
    payload: dict[str, Any]
    provider_id: str | None
    sent_before: bool
    tried: bool
    first_sent_at: datetime
    created_at: datetime
    stopped: bool = False

    @property
    def idempotency_key(self) -> str:
        return idempotency_key(self.key, self.attempt)

    @property
    def sent_as(self) -> tuple[str, str]:
        """Our operation id, which travels as metadata, and the key under which the provider does it once."""
        return self.key, self.idempotency_key

    @property
    def at_provider(self) -> str:
        """The provider's own id of it, where it has one."""
        assert self.provider_id is not None
        return self.provider_id
