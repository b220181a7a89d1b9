"""Every action that the audit log knows, in one table: what it is called, what it is about, who may be told of it.

An action is stored as `subject:noun:verb`. Noun and verb are a member here, and `by` puts the subject before them:
whoever acts, or the role that the action is for. A change of status that no action tells of leaves an entry named after
the status (`core.audit.statuses`). What is stored is sealed: a value never changes, whatever the thing is called today
(a case was once a ticket).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

StoredAction = NewType("StoredAction", str)
"""`subject:noun:verb`: made by `AuditAction.by`, or by `step_named` of a change of status, and by nothing else."""


def step_named(subject: str, noun: str, status: str) -> StoredAction:
    """A change of status that no action tells of, named after the status."""
    return StoredAction(f"{subject}:{noun}:{status.lower()}")


class About(StrEnum):
    CASE = "case"
    MESSAGE = "message"
    EVIDENCE = "evidence"
    MONEY = "money"
    DECISION = "decision"
    LETTER = "letter"


@dataclass(frozen=True)
class Kind:
    """`staff_only`: the parties are not told of it. `tone` as in the dashboard: good, wait, bad, info, quiet."""

    title: str
    about: About = About.CASE
    tone: str = "quiet"
    staff_only: bool = False


class AuditAction(StrEnum):
    API_KEY_CREATE = "api_key:create"
    API_KEY_REVOKE = "api_key:revoke"
    API_KEY_ROTATE = "api_key:rotate"
    BANK_ACCOUNT_CORRECT = "bank_account:correct"
    BANK_ACCOUNT_REGISTER = "bank_account:register"
    BANK_CHANGE = "bank:change"
    BANK_CHANGE_END = "bank:end_wait"
    BID_ACCEPT = "bid:accept"
    BREAK_ASSIGN = "break:assign"
    BREAK_CLOSE = "break:close"
    BREAK_FOLLOW = "break:follow"
    BREAK_MATCH = "break:match"
    BREAK_OPEN = "break:open"
    BREAK_REFETCH = "break:refetch"
    BREAK_REMARK = "break:remark"
    BREAK_REOPEN = "break:reopen"
    BREAK_WAIT = "break:wait"
    CASE_EXPORT = "case:export"
    CASE_OPEN = "case:open"
    CASE_REVEAL = "case:reveal"
    CHARGEBACK_ACCEPT = "chargeback:accept"
    CHARGEBACK_ADD_FILE = "chargeback:add_file"
    CHARGEBACK_CLOSE = "chargeback:close"
    CHARGEBACK_FOLLOW = "chargeback:follow"
    CHARGEBACK_OPEN = "chargeback:open"
    CHARGEBACK_OPEN_FILE = "chargeback:open_file"
    CHARGEBACK_PROPOSE_ACCEPTANCE = "chargeback:propose_acceptance"
    CHARGEBACK_REJECT_ACCEPTANCE = "chargeback:reject_acceptance"
    CHARGEBACK_REMARK = "chargeback:remark"
    CHARGEBACK_RETURN_ACCEPTANCE = "chargeback:return_acceptance"
    CHARGEBACK_STAGE = "chargeback:stage"
    CHARGEBACK_SUBMIT = "chargeback:submit"
    CHARGEBACK_WITHDRAW_ACCEPTANCE = "chargeback:withdraw_acceptance"
    CHECKLIST_SIGN = "checklist:sign"
    CORRECTION_CLOSE = "correction:close"
    CORRECTION_OPEN = "correction:open"
    CSV_MAPPING_SAVE = "csv_mapping:save"
    DEBT_PROPOSE_WRITE_OFF = "debt:propose_write_off"
    DEBT_REJECT_WRITE_OFF = "debt:reject_write_off"
    DEBT_REMIND = "debt:remind"
    DEBT_RETURN_WRITE_OFF = "debt:return_write_off"
    DEBT_WITHDRAW_WRITE_OFF = "debt:withdraw_write_off"
    DEBT_WRITE_OFF = "debt:write_off"
    DEBT_KEEP_BACK = "debt:keep_back"
    DECISION_APPROVE = "decision:approve"
    DECISION_CONFIRM = "decision:confirm"
    DECISION_EXECUTE = "decision:execute"
    DECISION_IN_PLACE_OF = "decision:in_place_of"
    DECISION_REFUNDED_BY_HAND = "decision:refunded_by_hand"
    DECISION_RETURN = "decision:return"
    DECISION_UNOPENED = "decision:unopened"
    DECISION_VOID = "decision:void"
    DECISION_WITHOUT_ANSWER = "decision:without_answer"
    DEMO_CLOCK_ADVANCE = "demo_clock:advance"
    DESK_INSTALL = "desk:install"
    DISPUTE_MEDIATE = "dispute:mediate"
    DISPUTE_OPEN = "dispute:open"
    DISPUTE_REWORK = "dispute:rework"
    DISPUTE_WITHDRAW = "dispute:withdraw"
    DUPLICATE_FIND = "duplicate:find"
    DUPLICATE_FOLLOW = "duplicate:follow"
    ENGAGEMENT_ACTIVATE = "engagement:activate"
    ENGAGEMENT_CONFIRM = "engagement:confirm"
    EVIDENCE_DOWNLOAD = "evidence:download"
    EVIDENCE_HAND_IN = "evidence:hand_in"
    EVIDENCE_NOTE = "evidence:note"
    EVIDENCE_OPEN = "evidence:open"
    EXPORT_FINISH = "export:finish"
    EXPORT_START = "export:start"
    HOLD_EXTEND = "hold:extend"
    HOLD_LIFT = "hold:lift"
    HOLD_NEWS = "hold:news"
    HOLD_PLACE = "hold:place"
    HOLD_REMIND = "hold:remind"
    JOURNAL_POST = "journal:post"
    JOURNAL_PROPOSE = "journal:propose"
    JOURNAL_REJECT = "journal:reject"
    JOURNAL_RETURN = "journal:return"
    JOURNAL_WITHDRAW = "journal:withdraw"
    LEDGER_OPEN_ACCOUNT = "ledger:open_account"
    LETTER_SEND_AGAIN = "letter:send_again"
    MESSAGE_SEND = "message:send"
    MILESTONES_ADJUST = "milestones:adjust"
    MILESTONE_ACTIVATE = "milestone:activate"
    MILESTONE_APPROVE = "milestone:approve"
    MILESTONE_AUTO_APPROVE = "milestone:auto_approve"
    MILESTONE_FINISH = "milestone:finish"
    MILESTONE_FUND = "milestone:fund"
    MILESTONE_REMIND = "milestone:remind"
    MILESTONE_SUBMIT = "milestone:submit"
    MILESTONE_UNANSWERED = "milestone:unanswered"
    OFFER_ACCEPT = "offer:accept"
    OFFER_DECLINE = "offer:decline"
    OFFER_EXPIRE = "offer:expire"
    OFFER_MAKE = "offer:make"
    OFFER_REPLACE = "offer:replace"
    OFFER_WITHDRAW = "offer:withdraw"
    OPERATION_RETRY = "operation:retry"
    OPERATION_REVIEW = "operation:review"
    PARTY_CHANGE = "party:change"
    PARTY_CORRECT_ADDRESS = "party:correct_address"
    PAYEE_ACCOUNT_LINK = "payee_account:link"
    PAYEE_ACCOUNT_FOLLOW = "payee_account:follow"
    PARTY_REGISTER = "party:register"
    PAYMENT_CONVERT = "payment:convert"
    PAYMENT_ASK = "payment:ask"
    PAYMENT_CALL_OFF = "payment:call_off"
    PAYMENT_EXPIRE = "payment:expire"
    PAYMENT_DECLINE = "payment:decline"
    PAYEE_HOLD_LIFT = "payee_hold:lift"
    PAYEE_HOLD_PLACE = "payee_hold:place"
    PAYMENT_HOLD = "payment:hold"
    PAYMENT_METHOD_REFUSE = "payment_method:refuse"
    PAYMENT_METHOD_SAVE = "payment_method:save"
    PAYMENT_METHOD_SETUP = "payment_method:setup"
    PAYMENT_RELEASE = "payment:release"
    PAYMENT_RETRY = "payment:retry"
    PAYOUT_ASSIGN = "payout:assign"
    PERIOD_CLOSE = "period:close"
    PERIOD_REOPEN = "period:reopen"
    PERIOD_PROPOSE_REOPENING = "period:propose_reopening"
    PERIOD_CONFIRM_REOPENING = "period:confirm_reopening"
    PERIOD_REJECT_REOPENING = "period:reject_reopening"
    PERIOD_WITHDRAW_REOPENING = "period:withdraw_reopening"
    PERIOD_RETURN_REOPENING = "period:return_reopening"
    PAYOUT_CHOOSE = "payout:choose"
    PAYOUT_FAIL = "payout:fail"
    PAYOUT_OFFER = "payout:offer"
    PAYOUT_REQUEST = "payout:request"
    PAYOUT_RETRY = "payout:retry"
    PAYOUT_STOP_OPEN = "payout_stop:open"
    PAYOUT_STOP_RELEASE = "payout_stop:release"
    PAYOUT_TRANSFER = "payout:transfer"
    PAYOUT_WITHDRAW_OFFER = "payout:withdraw_offer"
    POLICY_PROPOSE = "policy:propose"
    POLICY_PUBLISH = "policy:publish"
    POLICY_REJECT = "policy:reject"
    POLICY_RETURN = "policy:return"
    POLICY_WITHDRAW = "policy:withdraw"
    PRACTICE_FLAG = "practice:flag"
    PRACTICE_RESOLVE = "practice:resolve"
    PREFERENCES_SET = "preferences:set"
    PREFERENCE_BLIND = "preference:blind"
    PROJECT_CHOOSE_FUNDING = "project:choose_funding"
    PROJECT_COMPLETE = "project:complete"
    RECEIPT_DOWNLOAD = "receipt:download"
    RECONCILIATION_BEGIN = "reconciliation:begin"
    RECONCILIATION_RUN = "reconciliation:run"
    REFUND_CONFIRM_RETURN = "refund:confirm_return"
    REFUND_FOLLOW = "refund:follow"
    REFUND_MADE_BY_HAND = "refund:made_by_hand"
    REFUND_PROPOSE_RETURN = "refund:propose_return"
    REFUND_REJECT_RETURN = "refund:reject_return"
    REFUND_REQUEST = "refund:request"
    REFUND_SETTLE = "refund:settle"
    REFUND_WITHDRAW_RETURN = "refund:withdraw_return"
    REPORT_FILE = "report:file"
    REPORT_SETTLE = "report:settle"
    REVIEW_ASSIGN = "review:assign"
    REVIEW_OPEN = "review:open"
    REVIEW_REVEAL = "review:reveal"
    REVIEW_SETTLE = "review:settle"
    REVIEW_SUBMIT = "review:submit"
    SESSION_BEGIN = "session:begin"
    SESSION_END = "session:end"
    SESSION_REAUTHENTICATE = "session:reauthenticate"
    SESSION_REVOKE = "session:revoke"
    SETTLEMENT_KNOW = "settlement:know"
    SIGNING_KEY_REPLACE = "signing_key:replace"
    SIGNING_KEY_ROTATE = "signing_key:rotate"
    STAFF_ADD = "staff:add"
    STAFF_COME_BACK = "staff:come_back"
    STAFF_LEAVE = "staff:leave"
    STAFF_SET_ROLES = "staff:set_roles"
    STATEMENT_DOWNLOAD = "bank_statement:download"
    STATEMENT_IMPORT = "bank_statement:import"
    SUSPENSE_FIND = "suspense:find"
    SUSPENSE_PROPOSE = "suspense:propose"
    SUSPENSE_REJECT = "suspense:reject"
    SUSPENSE_RETURN = "suspense:return"
    SUSPENSE_SETTLE = "suspense:settle"
    SUSPENSE_WITHDRAW = "suspense:withdraw"
    TABLE_EXPORT = "table:export"
    CASE_ASK = "ticket:ask"
    CASE_ASSIGN = "ticket:assign"
    CASE_ESCALATE = "ticket:escalate"
    CASE_RECUSE = "ticket:recuse"
    CASE_RESUME = "ticket:resume"
    TIE_DECLARE = "tie:declare"
    TRANSFER_REVERSE = "transfer:reverse"
    TRANSFER_TAKEN_BACK = "transfer:taken_back"
    WEBHOOK_ENDPOINT_ADD = "webhook_endpoint:add"
    WEBHOOK_ENDPOINT_REMOVE = "webhook_endpoint:remove"
    WEBHOOK_ENDPOINT_REPLAY = "webhook_endpoint:replay"
    WEBHOOK_ENDPOINT_ROTATE = "webhook_endpoint:rotate"
    WEBHOOK_ENDPOINT_TEST = "webhook_endpoint:test"
    WEBHOOK_EVENT_RETRY = "webhook_event:retry"
    WITHDRAWAL_CHOOSE = "withdrawal:choose"

    def by(self, subject: str) -> StoredAction:
        """As it is stored."""
        return StoredAction(f"{subject}:{self.value}")


_CASE, _MESSAGE, _EVIDENCE, _MONEY, _DECISION, _LETTER = About

KINDS: Mapping[AuditAction, Kind] = {
    AuditAction.BID_ACCEPT: Kind("Bid accepted"),
    AuditAction.ENGAGEMENT_CONFIRM: Kind("Part of the engagement confirmed"),
    AuditAction.ENGAGEMENT_ACTIVATE: Kind("Engagement active", tone="good"),
    AuditAction.MILESTONES_ADJUST: Kind("Milestones rearranged"),
    AuditAction.PROJECT_CHOOSE_FUNDING: Kind("Funding in turn or ahead chosen"),
    AuditAction.MILESTONE_ACTIVATE: Kind("Milestone open for funding", tone="info"),
    AuditAction.MILESTONE_FUND: Kind("Payment started", _MONEY, tone="info"),
    AuditAction.PAYMENT_HOLD: Kind("Paid, and held", _MONEY, tone="good"),
    AuditAction.PAYMENT_METHOD_SETUP: Kind("Payer began to save a payment method", tone="info"),
    AuditAction.PAYMENT_METHOD_SAVE: Kind("Payment method saved", tone="good"),
    AuditAction.PAYMENT_METHOD_REFUSE: Kind("Payment method not saved", tone="bad"),
    AuditAction.PAYMENT_ASK: Kind("Payer asked to confirm the payment", _MONEY, tone="wait"),
    AuditAction.PAYMENT_CALL_OFF: Kind("Payment called off by the payer", _MONEY, tone="info"),
    AuditAction.PAYMENT_EXPIRE: Kind("Payer did not confirm the payment in time", _MONEY, tone="info"),
    AuditAction.PAYMENT_DECLINE: Kind("Payment declined", _MONEY, tone="bad"),
    AuditAction.MILESTONE_SUBMIT: Kind("Work reported as done", tone="info"),
    AuditAction.MILESTONE_APPROVE: Kind("Work approved", tone="good"),
    AuditAction.MILESTONE_AUTO_APPROVE: Kind("Approved by silence", tone="good"),
    AuditAction.MILESTONE_REMIND: Kind("Reminder to verify", tone="wait"),
    AuditAction.MILESTONE_UNANSWERED: Kind("Neither approved nor disputed in time", tone="wait"),
    AuditAction.MILESTONE_FINISH: Kind("Milestone settled", tone="good"),
    AuditAction.PROJECT_COMPLETE: Kind("Project completed", tone="good"),
    AuditAction.PAYMENT_CONVERT: Kind("Converted by Stripe", _MONEY, tone="wait", staff_only=True),
    AuditAction.PAYMENT_RELEASE: Kind("Released to the payee", _MONEY, tone="good"),
    AuditAction.DISPUTE_OPEN: Kind("Dispute opened", tone="bad"),
    AuditAction.CASE_OPEN: Kind("Case opened without a dispute", tone="bad", staff_only=True),
    AuditAction.DISPUTE_REWORK: Kind("Work submitted again", tone="info"),
    AuditAction.DISPUTE_WITHDRAW: Kind("Dispute withdrawn", tone="good"),
    AuditAction.DISPUTE_MEDIATE: Kind("Mediation began", tone="wait"),
    AuditAction.CASE_ASSIGN: Kind("Mediator changed", staff_only=True),
    AuditAction.CASE_ASK: Kind("Answer asked for", tone="wait"),
    AuditAction.CASE_RESUME: Kind("Review goes on", tone="info"),
    AuditAction.CASE_ESCALATE: Kind("Escalated: no decision in time", tone="bad", staff_only=True),
    AuditAction.EVIDENCE_OPEN: Kind("Evidence opened", _EVIDENCE, staff_only=True),
    AuditAction.EVIDENCE_NOTE: Kind("Note on evidence", _EVIDENCE, staff_only=True),
    AuditAction.EVIDENCE_DOWNLOAD: Kind("Evidence downloaded", _EVIDENCE, staff_only=True),
    AuditAction.DECISION_CONFIRM: Kind("Decision made", _DECISION, tone="info", staff_only=True),
    AuditAction.DECISION_UNOPENED: Kind(
        "Decided with evidence left unopened", _DECISION, tone="wait", staff_only=True
    ),
    AuditAction.DECISION_IN_PLACE_OF: Kind(
        "Decided in place of the case's mediator", _DECISION, tone="wait", staff_only=True
    ),
    AuditAction.DECISION_WITHOUT_ANSWER: Kind(
        "Decided before a party answered", _DECISION, tone="wait", staff_only=True
    ),
    AuditAction.DECISION_REFUNDED_BY_HAND: Kind(
        "Decided before an outside movement was settled", _DECISION, tone="wait", staff_only=True
    ),
    AuditAction.DECISION_APPROVE: Kind("Decision approved", _DECISION, tone="good", staff_only=True),
    AuditAction.DECISION_RETURN: Kind("Decision sent back", _DECISION, tone="bad", staff_only=True),
    AuditAction.DECISION_VOID: Kind("Decision void", _DECISION, tone="bad", staff_only=True),
    AuditAction.DECISION_EXECUTE: Kind("Decision carried out", _DECISION, tone="good"),
    AuditAction.CORRECTION_OPEN: Kind("Correction opened", _DECISION, tone="wait", staff_only=True),
    AuditAction.CORRECTION_CLOSE: Kind("Correction closed", _DECISION, tone="good", staff_only=True),
    AuditAction.CASE_REVEAL: Kind("Names shown after a first judgement", _DECISION, staff_only=True),
    AuditAction.OFFER_MAKE: Kind("Division offered", tone="info"),
    AuditAction.OFFER_ACCEPT: Kind("Offer accepted: the parties agree", tone="good"),
    AuditAction.OFFER_DECLINE: Kind("Offer declined", tone="wait"),
    AuditAction.OFFER_WITHDRAW: Kind("Offer withdrawn"),
    AuditAction.OFFER_REPLACE: Kind("Offer replaced by another"),
    AuditAction.OFFER_EXPIRE: Kind("Offer ended without an answer"),
    AuditAction.CASE_EXPORT: Kind("Case file taken", staff_only=True),
    AuditAction.HOLD_PLACE: Kind("Hold placed", _MONEY, tone="bad", staff_only=True),
    AuditAction.HOLD_NEWS: Kind("Hold: news", _MONEY, tone="info", staff_only=True),
    AuditAction.REFUND_MADE_BY_HAND: Kind("Refund made by hand at Stripe", _MONEY, tone="good"),
    AuditAction.HOLD_EXTEND: Kind("Expected end of a hold changed", _MONEY, staff_only=True),
    AuditAction.HOLD_REMIND: Kind("Hold: expected end reached", _MONEY, tone="wait", staff_only=True),
    AuditAction.PAYEE_HOLD_PLACE: Kind("Hold placed on a payee", _MONEY, tone="bad", staff_only=True),
    AuditAction.PAYEE_HOLD_LIFT: Kind("Hold on a payee lifted", _MONEY, tone="good", staff_only=True),
    AuditAction.HOLD_LIFT: Kind("Hold lifted", _MONEY, tone="good", staff_only=True),
    AuditAction.REFUND_SETTLE: Kind("Refund arrived", _MONEY, tone="good"),
    AuditAction.REFUND_FOLLOW: Kind("Refund: news from Stripe", _MONEY, tone="info"),
    AuditAction.PAYOUT_REQUEST: Kind("Withdrawal asked for", _MONEY, tone="info"),
    AuditAction.PAYOUT_TRANSFER: Kind("Transferred to the payee", _MONEY, tone="good"),
    AuditAction.PAYOUT_FAIL: Kind("Payout failed", _MONEY, tone="bad"),
    AuditAction.CHARGEBACK_OPEN: Kind("Chargeback opened", _MONEY, tone="bad"),
    AuditAction.CHARGEBACK_CLOSE: Kind("Chargeback closed", _MONEY, tone="info"),
    AuditAction.CHARGEBACK_FOLLOW: Kind("Chargeback: news from Stripe", _MONEY, tone="info", staff_only=True),
    AuditAction.CHARGEBACK_STAGE: Kind(
        "Evidence for the bank prepared", _MONEY, tone="info", staff_only=True
    ),
    AuditAction.CHARGEBACK_SUBMIT: Kind("Evidence sent to the bank", _MONEY, tone="info", staff_only=True),
    AuditAction.REVIEW_OPEN: Kind("Risk review opened", tone="bad", staff_only=True),
    AuditAction.REVIEW_ASSIGN: Kind("Risk review given to someone", staff_only=True),
    AuditAction.REVIEW_SETTLE: Kind("Risk review settled", tone="good", staff_only=True),
    AuditAction.REVIEW_SUBMIT: Kind("Review of the other side written", staff_only=True),
    AuditAction.REVIEW_REVEAL: Kind("Both reviews opened", tone="info"),
    AuditAction.REPORT_FILE: Kind("Report filed", tone="bad", staff_only=True),
    AuditAction.REPORT_SETTLE: Kind("Report settled", tone="good", staff_only=True),
    AuditAction.PRACTICE_FLAG: Kind("Practice in another state flagged", tone="bad", staff_only=True),
    AuditAction.PRACTICE_RESOLVE: Kind("Practice in another state resolved", tone="good", staff_only=True),
    AuditAction.PAYMENT_RETRY: Kind("Card tried again", _MONEY, tone="wait"),
    AuditAction.OPERATION_REVIEW: Kind("Operation put under review", _MONEY, tone="bad", staff_only=True),
    AuditAction.OPERATION_RETRY: Kind("Operation tried again", _MONEY, tone="info", staff_only=True),
    AuditAction.PAYOUT_OFFER: Kind("Another payout method offered", _MONEY, tone="info"),
    AuditAction.PAYOUT_WITHDRAW_OFFER: Kind("Offer of payout methods withdrawn", _MONEY),
    AuditAction.PAYOUT_CHOOSE: Kind("Another payout method chosen", _MONEY, tone="info"),
    AuditAction.PAYOUT_ASSIGN: Kind("Payout given to someone", staff_only=True),
    AuditAction.PAYOUT_RETRY: Kind("Payout tried again", _MONEY, tone="info", staff_only=True),
    AuditAction.TRANSFER_REVERSE: Kind("Transfer reversed", _MONEY, tone="bad", staff_only=True),
    AuditAction.TRANSFER_TAKEN_BACK: Kind("Transfer came back", _MONEY, tone="info", staff_only=True),
    AuditAction.DUPLICATE_FIND: Kind("Duplicate payment found", _MONEY, tone="bad", staff_only=True),
    AuditAction.DUPLICATE_FOLLOW: Kind(
        "Duplicate payment: news from Stripe", _MONEY, tone="info", staff_only=True
    ),
    AuditAction.DEBT_PROPOSE_WRITE_OFF: Kind("Write-off of a debt proposed", _MONEY, staff_only=True),
    AuditAction.DEBT_REJECT_WRITE_OFF: Kind("Write-off of a debt rejected", _MONEY, staff_only=True),
    AuditAction.DEBT_REMIND: Kind("Payee reminded of a debt", _MONEY, staff_only=True),
    AuditAction.DEBT_RETURN_WRITE_OFF: Kind("Write-off of a debt returned", _MONEY, staff_only=True),
    AuditAction.DEBT_WITHDRAW_WRITE_OFF: Kind("Write-off of a debt withdrawn", _MONEY, staff_only=True),
    AuditAction.DEBT_WRITE_OFF: Kind("Debt written off", _MONEY, tone="bad", staff_only=True),
    AuditAction.DEBT_KEEP_BACK: Kind("Kept back for a debt", _MONEY, tone="wait", staff_only=True),
    AuditAction.LETTER_SEND_AGAIN: Kind("E-mail sent again", _LETTER, staff_only=True),
    AuditAction.API_KEY_CREATE: Kind("API key created", staff_only=True),
    AuditAction.API_KEY_REVOKE: Kind("API key revoked", staff_only=True),
    AuditAction.API_KEY_ROTATE: Kind("API key replaced", staff_only=True),
    AuditAction.CHARGEBACK_ADD_FILE: Kind("File for the bank added", staff_only=True),
    AuditAction.CHARGEBACK_OPEN_FILE: Kind("File for the bank opened", staff_only=True),
    AuditAction.CHARGEBACK_REMARK: Kind("Remark on a chargeback", staff_only=True),
    AuditAction.CHARGEBACK_ACCEPT: Kind("Chargeback accepted", staff_only=True),
    AuditAction.CHARGEBACK_PROPOSE_ACCEPTANCE: Kind("Acceptance of a chargeback proposed", staff_only=True),
    AuditAction.CHARGEBACK_WITHDRAW_ACCEPTANCE: Kind("Acceptance of a chargeback withdrawn", staff_only=True),
    AuditAction.CHECKLIST_SIGN: Kind("Legal checklist signed", staff_only=True),
    AuditAction.DEMO_CLOCK_ADVANCE: Kind("Demo clock advanced", staff_only=True),
    AuditAction.DESK_INSTALL: Kind("Desk installed", staff_only=True),
    AuditAction.EVIDENCE_HAND_IN: Kind("Evidence submitted", staff_only=True),
    AuditAction.EXPORT_FINISH: Kind("Export finished", staff_only=True),
    AuditAction.EXPORT_START: Kind("Export started", staff_only=True),
    AuditAction.JOURNAL_POST: Kind("Manual journal posted", staff_only=True),
    AuditAction.JOURNAL_PROPOSE: Kind("Manual journal proposed", staff_only=True),
    AuditAction.JOURNAL_REJECT: Kind("Manual journal rejected", staff_only=True),
    AuditAction.JOURNAL_RETURN: Kind("Manual journal returned", staff_only=True),
    AuditAction.JOURNAL_WITHDRAW: Kind("Manual journal withdrawn", staff_only=True),
    AuditAction.LEDGER_OPEN_ACCOUNT: Kind("Opening balance posted", staff_only=True),
    AuditAction.MESSAGE_SEND: Kind("Message sent", staff_only=True),
    AuditAction.BANK_CHANGE: Kind("Payee's bank account changed", staff_only=True),
    AuditAction.BANK_CHANGE_END: Kind("Payouts to a new bank account resumed", staff_only=True),
    AuditAction.PARTY_CHANGE: Kind("Party's details changed", staff_only=True),
    AuditAction.PARTY_CORRECT_ADDRESS: Kind("Party address corrected", staff_only=True),
    AuditAction.PAYEE_ACCOUNT_LINK: Kind("Link to Stripe's onboarding made", staff_only=True),
    AuditAction.PAYEE_ACCOUNT_FOLLOW: Kind("Payee's account read at Stripe", staff_only=True),
    AuditAction.PARTY_REGISTER: Kind("Party registered", staff_only=True),
    AuditAction.PAYOUT_STOP_OPEN: Kind("Payouts stopped", staff_only=True),
    AuditAction.PAYOUT_STOP_RELEASE: Kind("Payouts resumed", staff_only=True),
    AuditAction.POLICY_PROPOSE: Kind("Policy change proposed", staff_only=True),
    AuditAction.POLICY_PUBLISH: Kind("Policy published", staff_only=True),
    AuditAction.POLICY_REJECT: Kind("Policy change rejected", staff_only=True),
    AuditAction.POLICY_WITHDRAW: Kind("Policy change withdrawn", staff_only=True),
    AuditAction.PREFERENCE_BLIND: Kind("Names hidden or shown by default", staff_only=True),
    AuditAction.PREFERENCES_SET: Kind("E-mail preferences set", staff_only=True),
    AuditAction.RECEIPT_DOWNLOAD: Kind("Receipt downloaded", staff_only=True),
    AuditAction.BREAK_ASSIGN: Kind("Break assigned", staff_only=True),
    AuditAction.BREAK_CLOSE: Kind("Break closed", staff_only=True),
    AuditAction.BREAK_FOLLOW: Kind("Break seen as something else", staff_only=True),
    AuditAction.BREAK_MATCH: Kind("Bank lines matched by hand", staff_only=True),
    AuditAction.BREAK_REFETCH: Kind("Fetched from Stripe again", staff_only=True),
    AuditAction.BREAK_OPEN: Kind("Break opened", staff_only=True),
    AuditAction.BREAK_REMARK: Kind("Remark on a break", staff_only=True),
    AuditAction.BREAK_REOPEN: Kind("Break opened again", staff_only=True),
    AuditAction.BREAK_WAIT: Kind("Break waits", staff_only=True),
    AuditAction.RECONCILIATION_BEGIN: Kind("Reconciliation begun", staff_only=True),
    AuditAction.RECONCILIATION_RUN: Kind("Reconciled with Stripe", staff_only=True),
    AuditAction.REFUND_CONFIRM_RETURN: Kind("Refund from our bank confirmed", staff_only=True),
    AuditAction.REFUND_PROPOSE_RETURN: Kind("Refund from our bank proposed", staff_only=True),
    AuditAction.REFUND_REQUEST: Kind("Refund requested", staff_only=True),
    AuditAction.REFUND_WITHDRAW_RETURN: Kind("Refund from our bank withdrawn", staff_only=True),
    AuditAction.SESSION_BEGIN: Kind("Signed in", staff_only=True),
    AuditAction.SESSION_END: Kind("Signed out", staff_only=True),
    AuditAction.SESSION_REAUTHENTICATE: Kind("Identity confirmed", staff_only=True),
    AuditAction.SESSION_REVOKE: Kind("Session revoked", staff_only=True),
    AuditAction.SETTLEMENT_KNOW: Kind("Settlement currency recorded", staff_only=True),
    AuditAction.SIGNING_KEY_REPLACE: Kind("Signing key replaced", staff_only=True),
    AuditAction.SIGNING_KEY_ROTATE: Kind("Signing key rotated", staff_only=True),
    AuditAction.STAFF_ADD: Kind("Staff member added", staff_only=True),
    AuditAction.STAFF_COME_BACK: Kind("Returned to the staff", staff_only=True),
    AuditAction.STAFF_LEAVE: Kind("Left the staff", staff_only=True),
    AuditAction.STAFF_SET_ROLES: Kind("Roles changed", staff_only=True),
    AuditAction.BANK_ACCOUNT_CORRECT: Kind("Bank account corrected", staff_only=True),
    AuditAction.BANK_ACCOUNT_REGISTER: Kind("Bank account registered", staff_only=True),
    AuditAction.CSV_MAPPING_SAVE: Kind("Mapping of a bank's CSV saved", staff_only=True),
    AuditAction.STATEMENT_DOWNLOAD: Kind("File of bank statements downloaded", staff_only=True),
    AuditAction.STATEMENT_IMPORT: Kind("Bank statements imported", staff_only=True),
    AuditAction.SUSPENSE_FIND: Kind("Unexplained money found", staff_only=True),
    AuditAction.PERIOD_CLOSE: Kind("Period closed", staff_only=True),
    AuditAction.PERIOD_REOPEN: Kind("Period reopened", tone="wait", staff_only=True),
    AuditAction.PERIOD_PROPOSE_REOPENING: Kind("Reopening of a period proposed", staff_only=True),
    AuditAction.PERIOD_CONFIRM_REOPENING: Kind("Reopening of a period approved", staff_only=True),
    AuditAction.PERIOD_REJECT_REOPENING: Kind("Reopening of a period rejected", staff_only=True),
    AuditAction.PERIOD_WITHDRAW_REOPENING: Kind("Reopening of a period withdrawn", staff_only=True),
    AuditAction.PERIOD_RETURN_REOPENING: Kind("Reopening of a period returned", staff_only=True),
    AuditAction.SUSPENSE_PROPOSE: Kind("Explanation of suspense proposed", staff_only=True),
    AuditAction.SUSPENSE_REJECT: Kind("Explanation of suspense rejected", staff_only=True),
    AuditAction.SUSPENSE_SETTLE: Kind("Suspense settled", staff_only=True),
    AuditAction.SUSPENSE_WITHDRAW: Kind("Explanation of suspense withdrawn", staff_only=True),
    AuditAction.TABLE_EXPORT: Kind("Table downloaded", staff_only=True),
    AuditAction.CASE_RECUSE: Kind("Recused from the case", staff_only=True),
    AuditAction.TIE_DECLARE: Kind("Tie to a party declared", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_ADD: Kind("Webhook endpoint added", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_REMOVE: Kind("Webhook endpoint removed", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_REPLAY: Kind("Events sent again", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_ROTATE: Kind("Webhook secret replaced", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_TEST: Kind("Test event sent", staff_only=True),
    AuditAction.WEBHOOK_EVENT_RETRY: Kind("Event of Stripe taken up again", staff_only=True),
    AuditAction.WITHDRAWAL_CHOOSE: Kind("Withdrawal method chosen", staff_only=True),
    AuditAction.POLICY_RETURN: Kind("Change of policy returned to its maker", staff_only=True),
    AuditAction.SUSPENSE_RETURN: Kind("Explanation returned to its maker", staff_only=True),
    AuditAction.CHARGEBACK_REJECT_ACCEPTANCE: Kind(
        "Proposal to accept the chargeback rejected", staff_only=True
    ),
    AuditAction.CHARGEBACK_RETURN_ACCEPTANCE: Kind(
        "Proposal to accept the chargeback returned to its maker", staff_only=True
    ),
    AuditAction.REFUND_REJECT_RETURN: Kind("Record of an external refund rejected", staff_only=True),
}
# These have a richer source of their own in a case's timeline.
TOLD_ELSEWHERE = frozenset({AuditAction.MESSAGE_SEND, AuditAction.EVIDENCE_HAND_IN, AuditAction.CASE_RECUSE})
# Entries of earlier versions have it; nothing leaves it any more.
NO_LONGER = frozenset({AuditAction.CHARGEBACK_CLOSE})


def of(action: str) -> Kind | None:
    """What a stored action is for a case's timeline; None where another source tells it better.

    A step of a status, or what a later version has left, is told in its own words, to staff.
    """
    said = action.partition(":")[2]
    if said in TOLD_ELSEWHERE:
        return None
    return KINDS[AuditAction(said)] if said in _VALUES else Kind(_words(said), staff_only=True)


def title(action: str) -> str:
    """A stored action as a person would say it."""
    said = action.partition(":")[2]
    return KINDS[AuditAction(said)].title if said in _VALUES else _words(said)


# What an object is called today, where the log has another word for it; and two statuses that end in a short form.
NAMES = {"letter": "e-mail", "ticket": "case", "webhook_event": "event of Stripe", "outgoing_event": "event"}
STATUSES = {"paid_held": "paid, held", "waiting_party": "waiting for a party", "overtaken": "lapsed"}


def _words(said: str) -> str:
    """`letter:sent` → `E-mail: sent`."""
    noun, _, verb = said.partition(":")
    parts = (NAMES.get(noun, noun), STATUSES.get(verb, verb))
    return ": ".join(each for each in parts if each).replace("_", " ").capitalize()


_VALUES = frozenset(AuditAction)
