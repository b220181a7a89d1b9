"""The record of who did what, and the proof that nobody altered it since.

`record` leaves an entry, `seal` closes and signs what was recorded, `verify` proves it. The proof covers the
journals of the ledger as well as the audit log.
"""

from __future__ import annotations

from core.audit.entries import ActionMisnamed, PersonalDataInAudit, record
from core.audit.keys import KeyTooOpen, KeyUnusable, PublicKey, Signer, own_key, signer
from core.audit.report import Finding, Report
from core.audit.sealing import CheckpointsDisagree, CheckpointsMissing, Sealed, seal
from core.audit.verification import verify

__all__ = [
    "ActionMisnamed",
    "CheckpointsDisagree",
    "CheckpointsMissing",
    "Finding",
    "KeyTooOpen",
    "KeyUnusable",
    "PersonalDataInAudit",
    "PublicKey",
    "Report",
    "Sealed",
    "Signer",
    "own_key",
    "record",
    "seal",
    "signer",
    "verify",
]
