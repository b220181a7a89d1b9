"""The table of outgoing operations: what is called, found, looked at and booked is asked of the kind, here only."""

from __future__ import annotations

from collections.abc import Mapping

from core.processes.outgoing.charge import CHARGE
from core.processes.outgoing.chargeback_answers import ACCEPTANCE, EVIDENCE
from core.processes.outgoing.kind import OutgoingKind
from core.processes.outgoing.payout import PAYOUT
from core.processes.outgoing.refund import REFUND
from core.processes.outgoing.reversal import REVERSAL
from core.processes.outgoing.transfer import TRANSFER
from core.rules.operations import OperationKind

KINDS: Mapping[OperationKind, OutgoingKind] = {
    OperationKind.CHARGE: CHARGE,
    OperationKind.REFUND: REFUND,
    OperationKind.TRANSFER: TRANSFER,
    OperationKind.PAYOUT: PAYOUT,
    OperationKind.REVERSAL: REVERSAL,
    OperationKind.EVIDENCE: EVIDENCE,
    OperationKind.ACCEPTANCE: ACCEPTANCE,
}
