"""The record of who did what, and the proof that nobody altered it since.

`record` leaves an entry, `seal` closes and signs what was recorded, `verify` proves it. The proof covers the
journals of the ledger as well as the audit log.
"""

from __future__ import annotations

from core.audit import period_summary
from core.audit.entries import ActionMisnamed, PersonalDataInAudit, record
from core.audit.key_trust import Trust
from core.audit.keys import KeyTooOpen, KeyUnusable, PublicKey, Signer, own_key, private_half, signer
from core.audit.pinned_keys import Pin, SigningKeyMissing, SigningKeyOther, desk_signer, key_trouble, pins
from core.audit.rotation import rotate
from core.audit.sealing import CheckpointsDisagree, CheckpointsMissing, KeyNotPinned, Sealed, seal
from core.audit.statuses import become
from core.audit.verification import verify
from core.audit.verification_report import Finding, VerificationReport

__all__ = [
    "ActionMisnamed",
    "CheckpointsDisagree",
    "CheckpointsMissing",
    "Finding",
    "KeyNotPinned",
    "KeyTooOpen",
    "KeyUnusable",
    "PersonalDataInAudit",
    "Pin",
    "PublicKey",
    "Sealed",
    "Signer",
    "SigningKeyMissing",
    "SigningKeyOther",
    "Trust",
    "VerificationReport",
    "become",
    "desk_signer",
    "key_trouble",
    "own_key",
    "period_summary",
    "pins",
    "private_half",
    "record",
    "rotate",
    "seal",
    "signer",
    "verify",
]
