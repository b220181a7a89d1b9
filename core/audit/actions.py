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
class ActionKind:
    """`staff_only`: the parties are not told of it. `tone` as in the dashboard: good, wait, bad, info, quiet."""

    title: str
    about: About = About.CASE
    tone: str = "quiet"
    staff_only: bool = False


class AuditAction(StrEnum):
    API_KEY_CREATE = "api_key:create"
    API_KEY_REVOKE = "api_key:revoke"
    API_KEY_ROTATE = "api_key:rotate"
    BACKUP_MAKE = "backup:make"
    BANK_ACCOUNT_CORRECT = "bank_account:correct"
    BANK_ACCOUNT_REGISTER = "bank_account:register"
    BANK_CHANGE = "bank:change"
    BANK_CHARGE_RULE_END = "bank_charge_rule:end"
    BANK_CHARGE_RULE_SAVE = "bank_charge_rule:save"
    BANK_CHANGE_END = "bank:end_wait"
    BANK_CHANGE_PROPOSE = "bank:propose"
    BANK_CHANGE_ACCEPT = "bank:accept"
    BANK_CHANGE_EXTEND = "bank:extend_wait"
    BANK_CHANGE_REFUSE = "bank:refuse"
    BANK_CHANGE_REJECT = "bank:reject_proposal"
    BANK_CHANGE_WITHDRAW = "bank:withdraw_proposal"
    BANK_CHANGE_RETURN = "bank:return_proposal"
    BID_ACCEPT = "bid:accept"
    BREAK_ASSIGN = "break:assign"
    BREAK_CLOSE = "break:close"
    BREAK_FOLLOW = "break:follow"
    BREAK_MATCH = "break:match"
    BREAK_OPEN = "break:open"
    BREAK_REFETCH = "break:refetch"
    BREAK_REMARK = "break:remark"
    BREAK_REOPEN = "break:reopen"
    BREAK_UNMATCH = "break:unmatch"
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
    CHECKLIST_DOWNLOAD = "checklist:download"
    CHECKLIST_REMIND = "checklist:remind"
    CHECKLIST_SIGN = "checklist:sign"
    CHECKLIST_WITHDRAW = "checklist:withdraw"
    CORRECTION_CLOSE = "correction:close"
    CORRECTION_OPEN = "correction:open"
    CSV_MAPPING_SAVE = "csv_mapping:save"
    DEBT_AGREE_PLAN = "debt:agree_plan"
    DEBT_END_PLAN = "debt:end_plan"
    DEBT_INSTALMENT_DUE = "debt:instalment_due"
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
    CHECKPOINTS_ADOPT = "checkpoints:adopt"
    CHECK_RUN_FINISH = "check_run:finish"
    CHECK_RUN_REQUEST = "check_run:request"
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
    ENTRY_PROVE = "entry:prove"
    EVIDENCE_DOWNLOAD = "evidence:download"
    EVIDENCE_HAND_IN = "evidence:hand_in"
    EVIDENCE_NOTE = "evidence:note"
    EVIDENCE_OPEN = "evidence:open"
    EXPORT_DOWNLOAD = "export:download"
    EXPORT_FINISH = "export:finish"
    EXPORT_START = "export:start"
    GROWTH_PROVE = "growth:prove"
    HOLD_APPROVE_LIFT = "hold:approve_lift"
    HOLD_EXTEND = "hold:extend"
    HOLD_LIFT = "hold:lift"
    HOLD_NEWS = "hold:news"
    HOLD_PLACE = "hold:place"
    HOLD_PROPOSE_LIFT = "hold:propose_lift"
    HOLD_REJECT_LIFT = "hold:reject_lift"
    HOLD_REMIND = "hold:remind"
    HOLD_RETURN_LIFT = "hold:return_lift"
    HOLD_WITHDRAW_LIFT = "hold:withdraw_lift"
    JOB_RETRY = "job:retry"
    JOURNAL_POST = "journal:post"
    JOURNAL_PROPOSE = "journal:propose"
    JOURNAL_REJECT = "journal:reject"
    JOURNAL_RETURN = "journal:return"
    JOURNAL_WITHDRAW = "journal:withdraw"
    LEDGER_OPEN_ACCOUNT = "ledger:open_account"
    LEGAL_HOLD_LIFT = "legal_hold:lift"
    LEGAL_HOLD_PLACE = "legal_hold:place"
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
    SETTLEMENT_PROPOSAL_ACCEPT = "offer:accept"
    SETTLEMENT_PROPOSAL_DECLINE = "offer:decline"
    SETTLEMENT_PROPOSAL_EXPIRE = "offer:expire"
    SETTLEMENT_PROPOSAL_MAKE = "offer:make"
    SETTLEMENT_PROPOSAL_REPLACE = "offer:replace"
    SETTLEMENT_PROPOSAL_WITHDRAW = "offer:withdraw"
    OPERATION_RETRY = "operation:retry"
    OPERATION_REVIEW = "operation:review"
    OUTGOING_EVENT_RETRY = "outgoing_event:retry"
    PARTY_CHANGE = "party:change"
    PARTY_CORRECT_ADDRESS = "party:correct_address"
    PAYEE_ACCOUNT_LINK = "payee_account:link"
    PAYEE_ACCOUNT_FOLLOW = "payee_account:follow"
    PARTY_REGISTER = "party:register"
    PARTY_STORE_ACCOUNT = "party:store_account"
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
    PERIOD_REMIND = "period:remind"
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
    PERSON_ACCESS = "person:access"
    PERSON_DESTROY_KEY = "person:destroy_key"
    PERSON_ERASE = "person:erase"
    PERSON_ERASE_DOCUMENTS = "person:erase_documents"
    PERSON_FINISH_RETENTION = "person:finish_retention"
    PERSON_PROPOSE_ERASURE = "person:propose_erasure"
    PERSON_PROPOSE_RETENTION = "person:propose_retention"
    PERSON_REJECT_ERASURE = "person:reject_erasure"
    PERSON_REMIND_RETENTION = "person:remind_retention"
    PERSON_RETURN_ERASURE = "person:return_erasure"
    PERSON_REVEAL = "person:reveal"
    PERSON_REVEAL_MANY = "person:reveal_many"
    PERSON_TAKE_RECEIPT = "person:take_receipt"
    PERSON_WITHDRAW_ERASURE = "person:withdraw_erasure"
    PREFERENCES_SET = "preferences:set"
    PREFERENCE_BLIND = "preference:blind"
    PROJECT_CHOOSE_FUNDING = "project:choose_funding"
    PROJECT_COMPLETE = "project:complete"
    READING_ENTER = "reading:enter"
    RECEIPT_DOWNLOAD = "receipt:download"
    RECEIPT_ISSUE = "receipt:issue"
    RECONCILIATION_BEGIN = "reconciliation:begin"
    RECONCILIATION_RUN = "reconciliation:run"
    REFUND_CONFIRM_RETURN = "refund:confirm_return"
    REFUND_FAIL_RETURN = "refund:fail_return"
    REFUND_FOLLOW = "refund:follow"
    REFUND_MADE_BY_HAND = "refund:made_by_hand"
    REFUND_PROPOSE_RETURN = "refund:propose_return"
    REFUND_REJECT_RETURN = "refund:reject_return"
    REFUND_REQUEST = "refund:request"
    REFUND_SETTLE = "refund:settle"
    REFUND_WITHDRAW_RETURN = "refund:withdraw_return"
    REPORT_FILE = "report:file"
    REPORT_SETTLE = "report:settle"
    RESTORE_FINISH = "restore:finish"
    RESTORE_RELEASE = "restore:release"
    REVIEW_ASSIGN = "review:assign"
    REVIEW_OPEN = "review:open"
    REVIEW_REVEAL = "review:reveal"
    REVIEW_SETTLE = "review:settle"
    REVIEW_SUBMIT = "review:submit"
    ROLE_END_EMERGENCY = "role:end_emergency"
    ROLE_END_GROUP = "role:end_group"
    ROLE_FOLLOW_GROUPS = "role:follow_groups"
    ROLE_GIVE_IN_EMERGENCY = "role:give_in_emergency"
    ROLE_GRANT = "role:grant"
    ROLE_GRANT_ALONE = "role:grant_alone"
    ROLE_KEEP_AFTER_EMERGENCY = "role:keep_after_emergency"
    ROLE_NAME_GROUP = "role:name_group"
    ROLE_PROPOSE = "role:propose"
    ROLE_REJECT = "role:reject"
    ROLE_RETURN = "role:return"
    ROLE_TAKE = "role:take"
    ROLE_WITHDRAW = "role:withdraw"
    SESSION_BEGIN = "session:begin"
    SESSION_END = "session:end"
    SESSION_END_AT_PROVIDER = "session:end_at_provider"
    SESSION_REAUTHENTICATE = "session:reauthenticate"
    SESSION_REVOKE = "session:revoke"
    SETTLEMENT_KNOW = "settlement:know"
    SCHEMA_MIGRATE = "schema:migrate"
    SIGNING_KEY_REPLACE = "signing_key:replace"
    SIGNING_KEY_ROTATE = "signing_key:rotate"
    STAFF_ADD = "staff:add"
    STAFF_CALL_OFF_INVITATION = "staff:call_off_invitation"
    STAFF_CHANGE_SKILLS = "staff:change_skills"
    STAFF_COME_BACK = "staff:come_back"
    STAFF_INVITE = "staff:invite"
    STAFF_JOIN = "staff:join"
    STAFF_LEAVE = "staff:leave"
    STAFF_SET_ROLES = "staff:set_roles"
    STATEMENT_DOWNLOAD = "bank_statement:download"
    STATEMENT_IMPORT = "bank_statement:import"
    SUSPENSE_FIND = "suspense:find"
    SUSPENSE_PROPOSE = "suspense:propose"
    SUSPENSE_REJECT = "suspense:reject"
    SUSPENSE_RETURN = "suspense:return"
    SUSPENSE_REVERSE = "suspense:reverse"
    SUSPENSE_SETTLE = "suspense:settle"
    SUSPENSE_WITHDRAW = "suspense:withdraw"
    TABLE_EXPORT = "table:export"
    CASE_ASK = "ticket:ask"
    CASE_ASSIGN = "ticket:assign"
    CASE_ESCALATE = "ticket:escalate"
    CASE_RECUSE = "ticket:recuse"
    CASE_RESUME = "ticket:resume"
    TIE_DECLARE = "tie:declare"
    TIE_RULE_OUT = "tie:rule_out"
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

KINDS: Mapping[AuditAction, ActionKind] = {
    AuditAction.BID_ACCEPT: ActionKind("Bid accepted"),
    AuditAction.ENGAGEMENT_CONFIRM: ActionKind("Part of the engagement confirmed"),
    AuditAction.READING_ENTER: ActionKind("Read within an hour", staff_only=True),
    AuditAction.ENTRY_PROVE: ActionKind("Proof of an entry taken", staff_only=True),
    AuditAction.ENGAGEMENT_ACTIVATE: ActionKind("Engagement active", tone="good"),
    AuditAction.MILESTONES_ADJUST: ActionKind("Milestones rearranged"),
    AuditAction.PROJECT_CHOOSE_FUNDING: ActionKind("Funding in turn or ahead chosen"),
    AuditAction.MILESTONE_ACTIVATE: ActionKind("Milestone open for funding", tone="info"),
    AuditAction.MILESTONE_FUND: ActionKind("Payment started", _MONEY, tone="info"),
    AuditAction.PAYMENT_HOLD: ActionKind("Paid, and held", _MONEY, tone="good"),
    AuditAction.PAYMENT_METHOD_SETUP: ActionKind("Payer began to save a payment method", tone="info"),
    AuditAction.PAYMENT_METHOD_SAVE: ActionKind("Payment method saved", tone="good"),
    AuditAction.PAYMENT_METHOD_REFUSE: ActionKind("Payment method not saved", tone="bad"),
    AuditAction.PAYMENT_ASK: ActionKind("Payer asked to confirm the payment", _MONEY, tone="wait"),
    AuditAction.PAYMENT_CALL_OFF: ActionKind("Payment called off by the payer", _MONEY, tone="info"),
    AuditAction.PAYMENT_EXPIRE: ActionKind("Payer did not confirm the payment in time", _MONEY, tone="info"),
    AuditAction.PAYMENT_DECLINE: ActionKind("Payment declined", _MONEY, tone="bad"),
    AuditAction.MILESTONE_SUBMIT: ActionKind("Work reported as done", tone="info"),
    AuditAction.MILESTONE_APPROVE: ActionKind("Work approved", tone="good"),
    AuditAction.MILESTONE_AUTO_APPROVE: ActionKind("Approved by silence", tone="good"),
    AuditAction.MILESTONE_REMIND: ActionKind("Reminder to verify", tone="wait"),
    AuditAction.MILESTONE_UNANSWERED: ActionKind("Neither approved nor disputed in time", tone="wait"),
    AuditAction.MILESTONE_FINISH: ActionKind("Milestone settled", tone="good"),
    AuditAction.PROJECT_COMPLETE: ActionKind("Project completed", tone="good"),
    AuditAction.PAYMENT_CONVERT: ActionKind("Converted by Stripe", _MONEY, tone="wait", staff_only=True),
    AuditAction.PAYMENT_RELEASE: ActionKind("Released to the payee", _MONEY, tone="good"),
    AuditAction.DISPUTE_OPEN: ActionKind("Dispute opened", tone="bad"),
    AuditAction.CASE_OPEN: ActionKind("Case opened without a dispute", tone="bad", staff_only=True),
    AuditAction.DISPUTE_REWORK: ActionKind("Work submitted again", tone="info"),
    AuditAction.DISPUTE_WITHDRAW: ActionKind("Dispute withdrawn", tone="good"),
    AuditAction.DISPUTE_MEDIATE: ActionKind("Mediation began", tone="wait"),
    AuditAction.CASE_ASSIGN: ActionKind("Mediator changed", staff_only=True),
    AuditAction.CASE_ASK: ActionKind("Answer asked for", tone="wait"),
    AuditAction.CASE_RESUME: ActionKind("Review goes on", tone="info"),
    AuditAction.CASE_ESCALATE: ActionKind("Escalated: no decision in time", tone="bad", staff_only=True),
    AuditAction.EVIDENCE_OPEN: ActionKind("Evidence opened", _EVIDENCE, staff_only=True),
    AuditAction.EVIDENCE_NOTE: ActionKind("Note on evidence", _EVIDENCE, staff_only=True),
    AuditAction.EVIDENCE_DOWNLOAD: ActionKind("Evidence downloaded", _EVIDENCE, staff_only=True),
    AuditAction.DECISION_CONFIRM: ActionKind("Decision made", _DECISION, tone="info", staff_only=True),
    AuditAction.DECISION_UNOPENED: ActionKind(
        "Decided with evidence left unopened", _DECISION, tone="wait", staff_only=True
    ),
    AuditAction.DECISION_IN_PLACE_OF: ActionKind(
        "Decided in place of the case's mediator", _DECISION, tone="wait", staff_only=True
    ),
    AuditAction.DECISION_WITHOUT_ANSWER: ActionKind(
        "Decided before a party answered", _DECISION, tone="wait", staff_only=True
    ),
    AuditAction.DECISION_REFUNDED_BY_HAND: ActionKind(
        "Decided before an outside movement was settled", _DECISION, tone="wait", staff_only=True
    ),
    AuditAction.DECISION_APPROVE: ActionKind("Decision approved", _DECISION, tone="good", staff_only=True),
    AuditAction.DECISION_RETURN: ActionKind("Decision sent back", _DECISION, tone="bad", staff_only=True),
    AuditAction.DECISION_VOID: ActionKind("Decision void", _DECISION, tone="bad", staff_only=True),
    AuditAction.DECISION_EXECUTE: ActionKind("Decision carried out", _DECISION, tone="good"),
    AuditAction.CORRECTION_OPEN: ActionKind("Correction opened", _DECISION, tone="wait", staff_only=True),
    AuditAction.CORRECTION_CLOSE: ActionKind("Correction closed", _DECISION, tone="good", staff_only=True),
    AuditAction.CASE_REVEAL: ActionKind("Names shown after a first judgement", _DECISION, staff_only=True),
    AuditAction.SETTLEMENT_PROPOSAL_MAKE: ActionKind("Settlement proposal made", tone="info"),
    AuditAction.SETTLEMENT_PROPOSAL_ACCEPT: ActionKind(
        "Settlement proposal accepted: the parties agree", tone="good"
    ),
    AuditAction.SETTLEMENT_PROPOSAL_DECLINE: ActionKind("Settlement proposal declined", tone="wait"),
    AuditAction.SETTLEMENT_PROPOSAL_WITHDRAW: ActionKind("Settlement proposal withdrawn"),
    AuditAction.SETTLEMENT_PROPOSAL_REPLACE: ActionKind("Settlement proposal replaced by another"),
    AuditAction.SETTLEMENT_PROPOSAL_EXPIRE: ActionKind("Settlement proposal ended without an answer"),
    AuditAction.CASE_EXPORT: ActionKind("Case file taken", staff_only=True),
    AuditAction.HOLD_PLACE: ActionKind("Hold placed", _MONEY, tone="bad", staff_only=True),
    AuditAction.HOLD_NEWS: ActionKind("Hold: news", _MONEY, tone="info", staff_only=True),
    AuditAction.REFUND_MADE_BY_HAND: ActionKind("Refund made by hand at Stripe", _MONEY, tone="good"),
    AuditAction.HOLD_EXTEND: ActionKind("Expected end of a hold changed", _MONEY, staff_only=True),
    AuditAction.HOLD_REMIND: ActionKind("Hold: expected end reached", _MONEY, tone="wait", staff_only=True),
    AuditAction.PAYEE_HOLD_PLACE: ActionKind("Hold placed on a payee", _MONEY, tone="bad", staff_only=True),
    AuditAction.PAYEE_HOLD_LIFT: ActionKind("Hold on a payee lifted", _MONEY, tone="good", staff_only=True),
    AuditAction.HOLD_LIFT: ActionKind("Hold lifted", _MONEY, tone="good", staff_only=True),
    AuditAction.HOLD_PROPOSE_LIFT: ActionKind(
        "Lifting of a hold proposed", _MONEY, tone="wait", staff_only=True
    ),
    AuditAction.GROWTH_PROVE: ActionKind("Proof of the log’s growth taken", staff_only=True),
    AuditAction.HOLD_APPROVE_LIFT: ActionKind(
        "Lifting of a hold approved", _MONEY, tone="good", staff_only=True
    ),
    AuditAction.HOLD_REJECT_LIFT: ActionKind("Lifting of a hold rejected", _MONEY, staff_only=True),
    AuditAction.HOLD_RETURN_LIFT: ActionKind("Lifting of a hold returned", _MONEY, staff_only=True),
    AuditAction.HOLD_WITHDRAW_LIFT: ActionKind("Lifting of a hold withdrawn", _MONEY, staff_only=True),
    AuditAction.REFUND_SETTLE: ActionKind("Refund arrived", _MONEY, tone="good"),
    AuditAction.REFUND_FOLLOW: ActionKind("Refund: news from Stripe", _MONEY, tone="info"),
    AuditAction.PAYOUT_REQUEST: ActionKind("Withdrawal asked for", _MONEY, tone="info"),
    AuditAction.PAYOUT_TRANSFER: ActionKind("Transferred to the payee", _MONEY, tone="good"),
    AuditAction.PAYOUT_FAIL: ActionKind("Payout failed", _MONEY, tone="bad"),
    AuditAction.CHARGEBACK_OPEN: ActionKind("Chargeback opened", _MONEY, tone="bad"),
    AuditAction.CHARGEBACK_CLOSE: ActionKind("Chargeback closed", _MONEY, tone="info"),
    AuditAction.CHARGEBACK_FOLLOW: ActionKind(
        "Chargeback: news from Stripe", _MONEY, tone="info", staff_only=True
    ),
    AuditAction.CHARGEBACK_STAGE: ActionKind(
        "Evidence for the bank prepared", _MONEY, tone="info", staff_only=True
    ),
    AuditAction.CHARGEBACK_SUBMIT: ActionKind(
        "Evidence sent to the bank", _MONEY, tone="info", staff_only=True
    ),
    AuditAction.REVIEW_OPEN: ActionKind("Risk review opened", tone="bad", staff_only=True),
    AuditAction.REVIEW_ASSIGN: ActionKind("Risk review given to someone", staff_only=True),
    AuditAction.REVIEW_SETTLE: ActionKind("Risk review settled", tone="good", staff_only=True),
    AuditAction.REVIEW_SUBMIT: ActionKind("Review of the other side written", staff_only=True),
    AuditAction.REVIEW_REVEAL: ActionKind("Both reviews opened", tone="info"),
    AuditAction.REPORT_FILE: ActionKind("Report filed", tone="bad", staff_only=True),
    AuditAction.REPORT_SETTLE: ActionKind("Report settled", tone="good", staff_only=True),
    AuditAction.PRACTICE_FLAG: ActionKind("Practice in another state flagged", tone="bad", staff_only=True),
    AuditAction.PRACTICE_RESOLVE: ActionKind(
        "Practice in another state resolved", tone="good", staff_only=True
    ),
    AuditAction.PAYMENT_RETRY: ActionKind("Card tried again", _MONEY, tone="wait"),
    AuditAction.OPERATION_REVIEW: ActionKind(
        "Operation put under review", _MONEY, tone="bad", staff_only=True
    ),
    AuditAction.OPERATION_RETRY: ActionKind("Operation tried again", _MONEY, tone="info", staff_only=True),
    AuditAction.PAYOUT_OFFER: ActionKind("Another payout method offered", _MONEY, tone="info"),
    AuditAction.PAYOUT_WITHDRAW_OFFER: ActionKind("Offer of payout methods withdrawn", _MONEY),
    AuditAction.PAYOUT_CHOOSE: ActionKind("Another payout method chosen", _MONEY, tone="info"),
    AuditAction.PAYOUT_ASSIGN: ActionKind("Payout given to someone", staff_only=True),
    AuditAction.PAYOUT_RETRY: ActionKind("Payout tried again", _MONEY, tone="info", staff_only=True),
    AuditAction.TRANSFER_REVERSE: ActionKind("Transfer reversed", _MONEY, tone="bad", staff_only=True),
    AuditAction.TRANSFER_TAKEN_BACK: ActionKind("Transfer came back", _MONEY, tone="info", staff_only=True),
    AuditAction.DUPLICATE_FIND: ActionKind("Duplicate payment found", _MONEY, tone="bad", staff_only=True),
    AuditAction.DUPLICATE_FOLLOW: ActionKind(
        "Duplicate payment: news from Stripe", _MONEY, tone="info", staff_only=True
    ),
    AuditAction.DEBT_AGREE_PLAN: ActionKind("Repayment by instalments agreed", _MONEY, staff_only=True),
    AuditAction.DEBT_END_PLAN: ActionKind("Repayment by instalments ended", _MONEY, staff_only=True),
    AuditAction.DEBT_INSTALMENT_DUE: ActionKind("Instalment fell due", _MONEY, tone="wait", staff_only=True),
    AuditAction.DEBT_PROPOSE_WRITE_OFF: ActionKind("Write-off of a debt proposed", _MONEY, staff_only=True),
    AuditAction.DEBT_REJECT_WRITE_OFF: ActionKind("Write-off of a debt rejected", _MONEY, staff_only=True),
    AuditAction.DEBT_REMIND: ActionKind("Payee reminded of a debt", _MONEY, staff_only=True),
    AuditAction.DEBT_RETURN_WRITE_OFF: ActionKind("Write-off of a debt returned", _MONEY, staff_only=True),
    AuditAction.DEBT_WITHDRAW_WRITE_OFF: ActionKind("Write-off of a debt withdrawn", _MONEY, staff_only=True),
    AuditAction.DEBT_WRITE_OFF: ActionKind("Debt written off", _MONEY, tone="bad", staff_only=True),
    AuditAction.DEBT_KEEP_BACK: ActionKind("Set off against a debt", _MONEY, tone="wait", staff_only=True),
    AuditAction.LETTER_SEND_AGAIN: ActionKind("E-mail sent again", _LETTER, staff_only=True),
    AuditAction.API_KEY_CREATE: ActionKind("API key created", staff_only=True),
    AuditAction.API_KEY_REVOKE: ActionKind("API key revoked", staff_only=True),
    AuditAction.API_KEY_ROTATE: ActionKind("API key replaced", staff_only=True),
    AuditAction.CHARGEBACK_ADD_FILE: ActionKind("File for the bank added", staff_only=True),
    AuditAction.CHARGEBACK_OPEN_FILE: ActionKind("File for the bank opened", staff_only=True),
    AuditAction.CHARGEBACK_REMARK: ActionKind("Remark on a chargeback", staff_only=True),
    AuditAction.CHARGEBACK_ACCEPT: ActionKind("Chargeback accepted", staff_only=True),
    AuditAction.CHARGEBACK_PROPOSE_ACCEPTANCE: ActionKind(
        "Acceptance of a chargeback proposed", staff_only=True
    ),
    AuditAction.CHARGEBACK_WITHDRAW_ACCEPTANCE: ActionKind(
        "Acceptance of a chargeback withdrawn", staff_only=True
    ),
    AuditAction.CHECKLIST_DOWNLOAD: ActionKind("Document of the legal checklist taken", staff_only=True),
    AuditAction.CHECKLIST_REMIND: ActionKind("Legal checklist: review due", tone="wait", staff_only=True),
    AuditAction.PERSON_REVEAL: ActionKind("Masked name revealed", staff_only=True),
    AuditAction.PERSON_REVEAL_MANY: ActionKind(
        "Many people revealed by one colleague", tone="bad", staff_only=True
    ),
    AuditAction.PERSON_ACCESS: ActionKind("All that is held about a person taken", staff_only=True),
    AuditAction.PERSON_PROPOSE_ERASURE: ActionKind(
        "Erasure of a person proposed", tone="wait", staff_only=True
    ),
    AuditAction.PERSON_PROPOSE_RETENTION: ActionKind("Retention run proposed", tone="wait", staff_only=True),
    AuditAction.PERSON_FINISH_RETENTION: ActionKind("Retention run finished", tone="good", staff_only=True),
    AuditAction.PERSON_REMIND_RETENTION: ActionKind("Retention run due", tone="wait", staff_only=True),
    AuditAction.PERSON_REJECT_ERASURE: ActionKind("Erasure of a person rejected", staff_only=True),
    AuditAction.PERSON_RETURN_ERASURE: ActionKind("Erasure of a person returned", staff_only=True),
    AuditAction.PERSON_WITHDRAW_ERASURE: ActionKind("Erasure of a person withdrawn", staff_only=True),
    AuditAction.PERSON_ERASE: ActionKind("Person erased by two people", tone="good", staff_only=True),
    AuditAction.PERSON_ERASE_DOCUMENTS: ActionKind(
        "Name of an erased person taken out of documents", tone="good", staff_only=True
    ),
    AuditAction.PERSON_DESTROY_KEY: ActionKind(
        "Key of an erased person’s files destroyed", tone="good", staff_only=True
    ),
    AuditAction.PERSON_TAKE_RECEIPT: ActionKind("Receipt of an erasure taken", staff_only=True),
    AuditAction.LEGAL_HOLD_PLACE: ActionKind("Legal hold placed on a party", tone="bad", staff_only=True),
    AuditAction.LEGAL_HOLD_LIFT: ActionKind("Legal hold lifted", tone="good", staff_only=True),
    AuditAction.CHECKLIST_SIGN: ActionKind("Legal checklist signed", staff_only=True),
    AuditAction.CHECKLIST_WITHDRAW: ActionKind(
        "Signature of the legal checklist withdrawn", tone="bad", staff_only=True
    ),
    AuditAction.BACKUP_MAKE: ActionKind("Backup made", staff_only=True),
    AuditAction.CHECKPOINTS_ADOPT: ActionKind("Checkpoints adopted", tone="wait", staff_only=True),
    AuditAction.CHECK_RUN_FINISH: ActionKind("Run of checks finished", staff_only=True),
    AuditAction.CHECK_RUN_REQUEST: ActionKind("Run of checks requested", staff_only=True),
    AuditAction.DEMO_CLOCK_ADVANCE: ActionKind("Demo clock advanced", staff_only=True),
    AuditAction.DESK_INSTALL: ActionKind("Desk installed", staff_only=True),
    AuditAction.EVIDENCE_HAND_IN: ActionKind("Evidence submitted", staff_only=True),
    AuditAction.EXPORT_DOWNLOAD: ActionKind("Export downloaded", staff_only=True),
    AuditAction.EXPORT_FINISH: ActionKind("Export finished", staff_only=True),
    AuditAction.EXPORT_START: ActionKind("Export started", staff_only=True),
    AuditAction.JOURNAL_POST: ActionKind("Manual journal posted", staff_only=True),
    AuditAction.JOURNAL_PROPOSE: ActionKind("Manual journal proposed", staff_only=True),
    AuditAction.JOURNAL_REJECT: ActionKind("Manual journal rejected", staff_only=True),
    AuditAction.JOURNAL_RETURN: ActionKind("Manual journal returned", staff_only=True),
    AuditAction.JOURNAL_WITHDRAW: ActionKind("Manual journal withdrawn", staff_only=True),
    AuditAction.LEDGER_OPEN_ACCOUNT: ActionKind("Opening balance posted", staff_only=True),
    AuditAction.MESSAGE_SEND: ActionKind("Message sent", staff_only=True),
    AuditAction.BANK_CHANGE: ActionKind("Payee's bank account changed", staff_only=True),
    AuditAction.BANK_CHANGE_END: ActionKind("Payouts to a new bank account resumed", staff_only=True),
    AuditAction.BANK_CHANGE_PROPOSE: ActionKind("Proposal about a payee's new bank account", staff_only=True),
    AuditAction.BANK_CHANGE_ACCEPT: ActionKind("Payee's new bank account accepted", staff_only=True),
    AuditAction.BANK_CHANGE_EXTEND: ActionKind(
        "Wait for a new bank account extended", tone="wait", staff_only=True
    ),
    AuditAction.BANK_CHANGE_REFUSE: ActionKind(
        "Payee's new bank account refused", tone="bad", staff_only=True
    ),
    AuditAction.BANK_CHANGE_REJECT: ActionKind("Proposal about a bank account rejected", staff_only=True),
    AuditAction.BANK_CHANGE_WITHDRAW: ActionKind("Proposal about a bank account withdrawn", staff_only=True),
    AuditAction.BANK_CHANGE_RETURN: ActionKind("Proposal about a bank account returned", staff_only=True),
    AuditAction.PARTY_CHANGE: ActionKind("Party's details changed", staff_only=True),
    AuditAction.PARTY_CORRECT_ADDRESS: ActionKind("Party address corrected", staff_only=True),
    AuditAction.PAYEE_ACCOUNT_LINK: ActionKind("Link to Stripe's onboarding made", staff_only=True),
    AuditAction.PAYEE_ACCOUNT_FOLLOW: ActionKind("Payee's account read at Stripe", staff_only=True),
    AuditAction.PARTY_REGISTER: ActionKind("Party registered", staff_only=True),
    AuditAction.PARTY_STORE_ACCOUNT: ActionKind("Party's details at Stripe stored", staff_only=True),
    AuditAction.RESTORE_FINISH: ActionKind("Restored from a backup", tone="wait", staff_only=True),
    AuditAction.RESTORE_RELEASE: ActionKind("Requests to Stripe resumed", staff_only=True),
    AuditAction.PAYOUT_STOP_OPEN: ActionKind("Payouts stopped", staff_only=True),
    AuditAction.PAYOUT_STOP_RELEASE: ActionKind("Payouts resumed", staff_only=True),
    AuditAction.POLICY_PROPOSE: ActionKind("Policy change proposed", staff_only=True),
    AuditAction.POLICY_PUBLISH: ActionKind("Policy published", staff_only=True),
    AuditAction.POLICY_REJECT: ActionKind("Policy change rejected", staff_only=True),
    AuditAction.POLICY_WITHDRAW: ActionKind("Policy change withdrawn", staff_only=True),
    AuditAction.PREFERENCE_BLIND: ActionKind("Names hidden or shown by default", staff_only=True),
    AuditAction.PREFERENCES_SET: ActionKind("E-mail preferences set", staff_only=True),
    AuditAction.RECEIPT_DOWNLOAD: ActionKind("Receipt downloaded", staff_only=True),
    AuditAction.RECEIPT_ISSUE: ActionKind("Document issued", staff_only=True),
    AuditAction.BREAK_ASSIGN: ActionKind("Break assigned", staff_only=True),
    AuditAction.BREAK_CLOSE: ActionKind("Break closed", staff_only=True),
    AuditAction.BREAK_FOLLOW: ActionKind("Break seen as something else", staff_only=True),
    AuditAction.BREAK_MATCH: ActionKind("Bank lines matched by hand", staff_only=True),
    AuditAction.BREAK_REFETCH: ActionKind("Fetched from Stripe again", staff_only=True),
    AuditAction.BREAK_OPEN: ActionKind("Break opened", staff_only=True),
    AuditAction.BREAK_REMARK: ActionKind("Remark on a break", staff_only=True),
    AuditAction.BREAK_REOPEN: ActionKind("Break opened again", staff_only=True),
    AuditAction.BREAK_UNMATCH: ActionKind("Match by hand undone", staff_only=True),
    AuditAction.BREAK_WAIT: ActionKind("Break waits", staff_only=True),
    AuditAction.RECONCILIATION_BEGIN: ActionKind("Reconciliation begun", staff_only=True),
    AuditAction.RECONCILIATION_RUN: ActionKind("Reconciled with Stripe", staff_only=True),
    AuditAction.REFUND_CONFIRM_RETURN: ActionKind("Refund from our bank confirmed", staff_only=True),
    AuditAction.REFUND_FAIL_RETURN: ActionKind("Refund from our bank did not arrive", staff_only=True),
    AuditAction.REFUND_PROPOSE_RETURN: ActionKind("Refund from our bank proposed", staff_only=True),
    AuditAction.REFUND_REQUEST: ActionKind("Refund requested", staff_only=True),
    AuditAction.REFUND_WITHDRAW_RETURN: ActionKind("Refund from our bank withdrawn", staff_only=True),
    AuditAction.SESSION_BEGIN: ActionKind("Signed in", staff_only=True),
    AuditAction.SESSION_END: ActionKind("Signed out", staff_only=True),
    AuditAction.SESSION_END_AT_PROVIDER: ActionKind("Signed out at the sign-in provider", staff_only=True),
    AuditAction.SESSION_REAUTHENTICATE: ActionKind("Identity confirmed", staff_only=True),
    AuditAction.SESSION_REVOKE: ActionKind("Session revoked", staff_only=True),
    AuditAction.SETTLEMENT_KNOW: ActionKind("Settlement currency recorded", staff_only=True),
    AuditAction.SCHEMA_MIGRATE: ActionKind("Rows taken in or changed by a migration", staff_only=True),
    AuditAction.SIGNING_KEY_REPLACE: ActionKind("Signing key replaced", staff_only=True),
    AuditAction.SIGNING_KEY_ROTATE: ActionKind("Signing key rotated", staff_only=True),
    AuditAction.ROLE_GRANT: ActionKind("Roles given by two administrators", staff_only=True),
    AuditAction.ROLE_GRANT_ALONE: ActionKind("Roles given by one person alone", tone="bad", staff_only=True),
    AuditAction.ROLE_GIVE_IN_EMERGENCY: ActionKind("Role given in an emergency", tone="bad", staff_only=True),
    AuditAction.ROLE_KEEP_AFTER_EMERGENCY: ActionKind(
        "Emergency role kept after its review", staff_only=True
    ),
    AuditAction.ROLE_END_EMERGENCY: ActionKind("Emergency role ended", tone="good", staff_only=True),
    AuditAction.ROLE_END_GROUP: ActionKind("Group gives a role no longer", tone="wait", staff_only=True),
    AuditAction.ROLE_FOLLOW_GROUPS: ActionKind("Roles by the sign-in provider's groups", staff_only=True),
    AuditAction.ROLE_NAME_GROUP: ActionKind("Group gives a role from now on", tone="bad", staff_only=True),
    AuditAction.ROLE_PROPOSE: ActionKind("Roles proposed", tone="wait", staff_only=True),
    AuditAction.ROLE_REJECT: ActionKind("Proposed roles rejected", staff_only=True),
    AuditAction.ROLE_RETURN: ActionKind("Proposed roles returned", staff_only=True),
    AuditAction.ROLE_TAKE: ActionKind("Roles taken away", staff_only=True),
    AuditAction.ROLE_WITHDRAW: ActionKind("Proposed roles withdrawn", staff_only=True),
    AuditAction.STAFF_CALL_OFF_INVITATION: ActionKind("Invitation to the staff called off", staff_only=True),
    AuditAction.STAFF_CHANGE_SKILLS: ActionKind("Skills changed", staff_only=True),
    AuditAction.STAFF_INVITE: ActionKind("Invited to the staff", staff_only=True),
    AuditAction.STAFF_JOIN: ActionKind("Joined the staff by invitation", staff_only=True),
    AuditAction.STAFF_ADD: ActionKind("Staff member added", staff_only=True),
    AuditAction.STAFF_COME_BACK: ActionKind("Returned to the staff", staff_only=True),
    AuditAction.STAFF_LEAVE: ActionKind("Left the staff", staff_only=True),
    AuditAction.STAFF_SET_ROLES: ActionKind("Roles changed", staff_only=True),
    AuditAction.BANK_ACCOUNT_CORRECT: ActionKind("Bank account corrected", staff_only=True),
    AuditAction.BANK_ACCOUNT_REGISTER: ActionKind("Bank account registered", staff_only=True),
    AuditAction.BANK_CHARGE_RULE_END: ActionKind("Rule for bank charges ended", staff_only=True),
    AuditAction.BANK_CHARGE_RULE_SAVE: ActionKind("Rule for bank charges saved", staff_only=True),
    AuditAction.CSV_MAPPING_SAVE: ActionKind("Mapping of a bank's CSV saved", staff_only=True),
    AuditAction.STATEMENT_DOWNLOAD: ActionKind("File of bank statements downloaded", staff_only=True),
    AuditAction.STATEMENT_IMPORT: ActionKind("Bank statements imported", staff_only=True),
    AuditAction.SUSPENSE_FIND: ActionKind("Unexplained money found", staff_only=True),
    AuditAction.PERIOD_CLOSE: ActionKind("Period closed", staff_only=True),
    AuditAction.PERIOD_REOPEN: ActionKind("Period reopened", tone="wait", staff_only=True),
    AuditAction.PERIOD_PROPOSE_REOPENING: ActionKind("Reopening of a period proposed", staff_only=True),
    AuditAction.PERIOD_CONFIRM_REOPENING: ActionKind("Reopening of a period approved", staff_only=True),
    AuditAction.PERIOD_REJECT_REOPENING: ActionKind("Reopening of a period rejected", staff_only=True),
    AuditAction.PERIOD_WITHDRAW_REOPENING: ActionKind("Reopening of a period withdrawn", staff_only=True),
    AuditAction.PERIOD_RETURN_REOPENING: ActionKind("Reopening of a period returned", staff_only=True),
    AuditAction.PERIOD_REMIND: ActionKind("Day not closed: finance reminded", tone="wait", staff_only=True),
    AuditAction.SUSPENSE_PROPOSE: ActionKind("Explanation of suspense proposed", staff_only=True),
    AuditAction.SUSPENSE_REJECT: ActionKind("Explanation of suspense rejected", staff_only=True),
    AuditAction.SUSPENSE_REVERSE: ActionKind("Difference in suspense reversed", staff_only=True),
    AuditAction.SUSPENSE_SETTLE: ActionKind("Suspense settled", staff_only=True),
    AuditAction.SUSPENSE_WITHDRAW: ActionKind("Explanation of suspense withdrawn", staff_only=True),
    AuditAction.TABLE_EXPORT: ActionKind("Table downloaded", staff_only=True),
    AuditAction.CASE_RECUSE: ActionKind("Recused from the case", staff_only=True),
    AuditAction.TIE_RULE_OUT: ActionKind("Tie that was found declared wrong", staff_only=True),
    AuditAction.TIE_DECLARE: ActionKind("Tie to a party declared", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_ADD: ActionKind("Webhook endpoint added", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_REMOVE: ActionKind("Webhook endpoint removed", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_REPLAY: ActionKind("Events sent again", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_ROTATE: ActionKind("Webhook secret replaced", staff_only=True),
    AuditAction.WEBHOOK_ENDPOINT_TEST: ActionKind("Test event sent", staff_only=True),
    AuditAction.WEBHOOK_EVENT_RETRY: ActionKind("Event of Stripe taken up again", staff_only=True),
    AuditAction.JOB_RETRY: ActionKind("Background job tried again", staff_only=True),
    AuditAction.OUTGOING_EVENT_RETRY: ActionKind("Event sent to a marketplace again", staff_only=True),
    AuditAction.WITHDRAWAL_CHOOSE: ActionKind("Withdrawal method chosen", staff_only=True),
    AuditAction.POLICY_RETURN: ActionKind("Change of policy returned to its maker", staff_only=True),
    AuditAction.SUSPENSE_RETURN: ActionKind("Explanation returned to its maker", staff_only=True),
    AuditAction.CHARGEBACK_REJECT_ACCEPTANCE: ActionKind(
        "Proposal to accept the chargeback rejected", staff_only=True
    ),
    AuditAction.CHARGEBACK_RETURN_ACCEPTANCE: ActionKind(
        "Proposal to accept the chargeback returned to its maker", staff_only=True
    ),
    AuditAction.REFUND_REJECT_RETURN: ActionKind("Record of an external refund rejected", staff_only=True),
}
# These have a richer source of their own in a case's timeline.
TOLD_ELSEWHERE = frozenset({AuditAction.MESSAGE_SEND, AuditAction.EVIDENCE_HAND_IN, AuditAction.CASE_RECUSE})
# Entries of earlier versions have it; nothing leaves it any more.
NO_LONGER = frozenset({AuditAction.CHARGEBACK_CLOSE, AuditAction.STAFF_SET_ROLES})


def of(action: str) -> ActionKind | None:
    """What a stored action is for a case's timeline; None where another source tells it better.

    A step of a status, or what a later version has left, is told in its own words, to staff.
    """
    said = action.partition(":")[2]
    if said in TOLD_ELSEWHERE:
        return None
    return KINDS[AuditAction(said)] if said in _VALUES else ActionKind(_words(said), staff_only=True)


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
