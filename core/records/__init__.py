"""What is stored: one file per noun. `core.ledger` and `core.audit` alone write their own tables."""

from __future__ import annotations

from core.db import Record
from core.records.api import ApiAnswer, ApiKey, EventDelivery, OutgoingEvent, RateBucket, WebhookEndpoint
from core.records.bank_statements import (
    BankAccount,
    BankChargeRule,
    BankLine,
    BankStatement,
    BankStatementFile,
    CsvMapping,
)
from core.records.cases import Case, CaseReveal, Decision, Evidence, EvidenceNote, EvidenceView, Message
from core.records.casework import CaseVisit, Handover, PartyRequest, Recusal, TabKey, UnsentText
from core.records.chargebacks import (
    Chargeback,
    ChargebackAcceptance,
    ChargebackEvidence,
    ChargebackFile,
    ChargebackRemark,
)
from core.records.check_runs import CheckRun
from core.records.client_funds import PayoutStop, StripeBalance
from core.records.debts import DebtReminder, DebtWriteOff, RepaymentInstalment, RepaymentPlan
from core.records.demo import DemoClock
from core.records.documents import DocumentSeries, Receipt
from core.records.drafts import DecisionDraft
from core.records.exports import Export
from core.records.holds import Hold, HoldLift, PayeeHold
from core.records.ledger import journals as _journals  # noqa: F401 (a foreign key names it)
from core.records.legal_checklist import LegalSignature
from core.records.manual_journals import ManualJournal
from core.records.milestones import Milestone
from core.records.notifications import LetterPreference, Notification
from core.records.operations import OutgoingOperation, WebhookEvent
from core.records.payees import BankChange, BankChangeProposal, PartyChange, PayeeAccount
from core.records.payers import PaymentMethodSetup
from core.records.payment_exceptions import FailedReturn, PayoutOffer, RefundReturn
from core.records.payments import (
    BalanceTransaction,
    Charge,
    DuplicatePayment,
    LineCorrection,
    PaymentEvent,
    PaymentOrder,
    Payout,
    Refund,
    SettlementCurrency,
)
from core.records.people import (
    EmergencyGrant,
    GroupRole,
    Installation,
    Party,
    ProviderRole,
    RoleGrant,
    Staff,
    StaffInvitation,
    StaffPreference,
    StaffRole,
    StaffSession,
    StaffTie,
    TieRuledOut,
)
from core.records.periods import Period, PeriodReminder, PeriodReopening, YearEndEntry
from core.records.policy import PolicyVersion
from core.records.policy_proposals import PolicyProposal
from core.records.practice_flags import PracticeFlag
from core.records.privacy import Erasure, LegalHold
from core.records.projects import Engagement, Project
from core.records.readings import Reading
from core.records.reconciliation import (
    BankMatch,
    BankMatchLine,
    BankMatchPosting,
    Break,
    ReconciliationBreak,
    ReconciliationRun,
    StatementLine,
    SuspenseItem,
)
from core.records.restores import Restore
from core.records.reviews import FinalRating, ProjectReview, ReviewRound
from core.records.risk import Report, RiskReview
from core.records.settlement_proposals import SettlementProposal
from core.records.stripe_statements import PayeeStatementLine, StatementCursor, StripePayout

__all__ = [
    "ApiAnswer",
    "ApiKey",
    "BalanceTransaction",
    "BankAccount",
    "BankChange",
    "BankChangeProposal",
    "BankChargeRule",
    "BankLine",
    "BankMatch",
    "BankMatchLine",
    "BankMatchPosting",
    "BankStatement",
    "BankStatementFile",
    "Break",
    "Case",
    "CaseReveal",
    "CaseVisit",
    "Charge",
    "Chargeback",
    "ChargebackAcceptance",
    "ChargebackEvidence",
    "ChargebackFile",
    "ChargebackRemark",
    "CheckRun",
    "CsvMapping",
    "DebtReminder",
    "DebtWriteOff",
    "Decision",
    "DecisionDraft",
    "DemoClock",
    "DocumentSeries",
    "DuplicatePayment",
    "EmergencyGrant",
    "Engagement",
    "Erasure",
    "EventDelivery",
    "Evidence",
    "EvidenceNote",
    "EvidenceView",
    "Export",
    "FailedReturn",
    "FinalRating",
    "GroupRole",
    "Handover",
    "Hold",
    "HoldLift",
    "Installation",
    "LegalHold",
    "LegalSignature",
    "LetterPreference",
    "LineCorrection",
    "ManualJournal",
    "Message",
    "Milestone",
    "Notification",
    "OutgoingEvent",
    "OutgoingOperation",
    "Party",
    "PartyChange",
    "PartyRequest",
    "PayeeAccount",
    "PayeeHold",
    "PayeeStatementLine",
    "PaymentEvent",
    "PaymentMethodSetup",
    "PaymentOrder",
    "Payout",
    "PayoutOffer",
    "PayoutStop",
    "Period",
    "PeriodReminder",
    "PeriodReopening",
    "PolicyProposal",
    "PolicyVersion",
    "PracticeFlag",
    "Project",
    "ProjectReview",
    "ProviderRole",
    "RateBucket",
    "Reading",
    "Receipt",
    "ReconciliationBreak",
    "ReconciliationRun",
    "Record",
    "Recusal",
    "Refund",
    "RefundReturn",
    "RepaymentInstalment",
    "RepaymentPlan",
    "Report",
    "Restore",
    "ReviewRound",
    "RiskReview",
    "RoleGrant",
    "SettlementCurrency",
    "SettlementProposal",
    "Staff",
    "StaffInvitation",
    "StaffPreference",
    "StaffRole",
    "StaffSession",
    "StaffTie",
    "StatementCursor",
    "StatementLine",
    "StripeBalance",
    "StripePayout",
    "SuspenseItem",
    "TabKey",
    "TieRuledOut",
    "UnsentText",
    "WebhookEndpoint",
    "WebhookEvent",
    "YearEndEntry",
]
