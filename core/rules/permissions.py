"""Who may do what: one table from permission to roles, asked by every action before it does anything.

Staff act by role, the parties of a project by their tie to it, and the system only where a timer or an event of the
payment processor moves things. Nobody is exempt: an administrator holds the permissions of the table and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from core.errors import DeskError
from core.policy import STEP_UP_WITHIN


class Role(StrEnum):
    MEDIATOR = "mediator"
    FINANCE = "finance"
    COMPLIANCE = "compliance"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    READ_CASES = "read_cases"
    WORK_CASE = "work_case"
    ASSIGN_CASE = "assign_case"
    OPEN_CASE = "open_case"
    DECIDE = "decide"
    DECIDE_ESCALATED = "decide_escalated"
    APPROVE_DECISION = "approve_decision"
    CLOSE_CORRECTION = "close_correction"
    EXPORT_CASE = "export_case"
    PLACE_HOLD = "place_hold"
    RELEASE_HOLD = "release_hold"
    REVIEW_RISK = "review_risk"
    SETTLE_RISK = "settle_risk"
    READ_LEDGER = "read_ledger"
    EXPORT_LEDGER = "export_ledger"
    SETTLE_SUSPENSE = "settle_suspense"
    CONFIRM_SUSPENSE = "confirm_suspense"
    PROPOSE_JOURNAL = "propose_journal"
    CONFIRM_JOURNAL = "confirm_journal"
    CLOSE_PERIOD = "close_period"
    REOPEN_PERIOD = "reopen_period"
    CONFIRM_REOPENING = "confirm_reopening"
    RUN_RECONCILIATION = "run_reconciliation"
    WORK_BREAKS = "work_breaks"
    IMPORT_STATEMENTS = "import_statements"
    READ_PAYOUTS = "read_payouts"
    REVIEW_PAYOUT = "review_payout"
    ASSIGN_PAYOUT = "assign_payout"
    WAIVE_FEE = "waive_fee"
    AGREE_REPAYMENT = "agree_repayment"
    SET_OFF_DEBT = "set_off_debt"
    WRITE_OFF_DEBT = "write_off_debt"
    CONFIRM_WRITE_OFF = "confirm_write_off"
    DECIDE_BANK_CHANGE = "decide_bank_change"
    CONFIRM_BANK_CHANGE = "confirm_bank_change"
    CONFIRM_SETTLEMENT = "confirm_settlement"
    RETRY_OPERATION = "retry_operation"
    RELEASE_REQUESTS = "release_requests"
    PROPOSE_RETURN = "propose_return"
    READ_CHARGEBACKS = "read_chargebacks"
    ANSWER_CHARGEBACK = "answer_chargeback"
    SETTLE_CHARGEBACK = "settle_chargeback"
    SEND_LETTER = "send_letter"
    CORRECT_ADDRESS = "correct_address"
    READ_PERSONAL_DATA = "read_personal_data"
    REVEAL_PERSON = "reveal_person"
    PLACE_LEGAL_HOLD = "place_legal_hold"
    EXPORT_PERSONAL_DATA = "export_personal_data"
    PROPOSE_ERASURE = "propose_erasure"
    CONFIRM_ERASURE = "confirm_erasure"
    READ_AUDIT = "read_audit"
    EXPORT_AUDIT = "export_audit"
    VERIFY_AUDIT = "verify_audit"
    READ_PEOPLE = "read_people"
    READ_POLICY = "read_policy"
    CHANGE_POLICY = "change_policy"
    APPROVE_POLICY = "approve_policy"
    SIGN_LEGAL_CHECK = "sign_legal_check"
    MANAGE_STAFF = "manage_staff"
    MANAGE_PLATFORM_KEYS = "manage_platform_keys"
    ROTATE_SIGNING_KEY = "rotate_signing_key"
    INSTALL_DESK = "install_desk"
    RUN_CHECKS = "run_checks"
    BACK_UP = "back_up"
    ADVANCE_DEMO_CLOCK = "advance_demo_clock"

    @property
    def words(self) -> str:
        """As a sentence goes on after “you may”: read the ledger."""
        return _WORDS.get(self.value, self.value.replace("_", " "))


# Where the name alone is no English.
_WORDS: Mapping[str, str] = {
    "work_case": "work on a case",
    "assign_case": "assign a case",
    "open_case": "open a case",
    "decide_escalated": "decide an escalated case",
    "approve_decision": "approve a decision",
    "close_correction": "close a correction",
    "export_case": "export a case",
    "place_hold": "place a hold",
    "release_hold": "lift a hold",
    "review_risk": "review a risk",
    "settle_risk": "settle a risk review",
    "read_ledger": "read the ledger",
    "export_ledger": "export the ledger",
    "settle_suspense": "explain an amount in suspense",
    "confirm_suspense": "approve what explains an amount in suspense",
    "propose_journal": "propose a journal",
    "confirm_journal": "approve a journal",
    "close_period": "close a period",
    "reopen_period": "reopen a period",
    "confirm_reopening": "approve that a period is reopened",
    "run_reconciliation": "run a reconciliation",
    "work_breaks": "work on breaks",
    "review_payout": "review a payout",
    "assign_payout": "assign a payout",
    "waive_fee": "waive a fee",
    "agree_repayment": "agree on a repayment plan",
    "set_off_debt": "set off a debt",
    "write_off_debt": "write off a debt",
    "confirm_write_off": "approve a write-off",
    "decide_bank_change": "decide on a bank change",
    "confirm_bank_change": "approve a decision on a bank change",
    "confirm_settlement": "confirm the settlement currencies",
    "retry_operation": "retry an operation",
    "release_requests": "let requests to Stripe go on after a restore",
    "propose_return": "propose a refund by another way",
    "answer_chargeback": "answer a chargeback",
    "settle_chargeback": "settle a chargeback",
    "send_letter": "send an e-mail",
    "correct_address": "correct an address",
    "read_personal_data": "see what is held about a person",
    "reveal_person": "reveal who somebody is",
    "place_legal_hold": "place or lift a legal hold",
    "export_personal_data": "take out all that is held about a person",
    "propose_erasure": "propose to erase a person",
    "confirm_erasure": "approve that a person is erased",
    "read_audit": "read the audit log",
    "export_audit": "export the audit log",
    "verify_audit": "verify the audit log",
    "read_people": "see who works here",
    "read_policy": "read the policy",
    "change_policy": "change the policy",
    "approve_policy": "approve a policy",
    "sign_legal_check": "sign a legal check",
    "rotate_signing_key": "rotate the signing key",
    "install_desk": "install the desk",
    "back_up": "back up the desk",
    "advance_demo_clock": "advance the demo clock",
}


_EVERYONE = frozenset(Role)


def _to(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


MEDIATOR, FINANCE, COMPLIANCE, ADMINISTRATOR = Role
_PEOPLE = {MEDIATOR: "mediators", ADMINISTRATOR: "administrators"}

TABLE: Mapping[Permission, frozenset[Role]] = {
    Permission.READ_CASES: _EVERYONE,
    Permission.WORK_CASE: _to(MEDIATOR, COMPLIANCE),
    Permission.ASSIGN_CASE: _to(MEDIATOR, ADMINISTRATOR),
    # Where the parties do not, so that nobody's money waits for ever; and for a late complaint that is right.
    Permission.OPEN_CASE: _to(MEDIATOR, ADMINISTRATOR),
    Permission.DECIDE: _to(MEDIATOR),
    # After a deadlock the case is the platform administrators' (milestone-payment-flow, Error Handling 3).
    Permission.DECIDE_ESCALATED: _to(ADMINISTRATOR),
    Permission.APPROVE_DECISION: _to(MEDIATOR, FINANCE, ADMINISTRATOR),
    Permission.CLOSE_CORRECTION: _to(MEDIATOR, COMPLIANCE),
    Permission.EXPORT_CASE: _to(MEDIATOR, COMPLIANCE),
    # Manual hold on reports, disputes and risk events (payment-escrow-rules, Release Rules).
    Permission.PLACE_HOLD: _EVERYONE,
    Permission.RELEASE_HOLD: _to(COMPLIANCE, ADMINISTRATOR),
    Permission.REVIEW_RISK: _to(COMPLIANCE),
    Permission.SETTLE_RISK: _to(COMPLIANCE),
    Permission.READ_LEDGER: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    Permission.EXPORT_LEDGER: _to(FINANCE, COMPLIANCE),
    Permission.SETTLE_SUSPENSE: _to(FINANCE),
    # Whoever agrees with what one person says unexplained money was, or that a refund left by another way.
    Permission.CONFIRM_SUSPENSE: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    Permission.PROPOSE_JOURNAL: _to(FINANCE),
    Permission.CONFIRM_JOURNAL: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    Permission.CLOSE_PERIOD: _to(FINANCE),
    # Two people, for what was signed and locked (internal policy).
    Permission.REOPEN_PERIOD: _to(FINANCE, ADMINISTRATOR),
    Permission.CONFIRM_REOPENING: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    Permission.RUN_RECONCILIATION: _to(FINANCE),
    Permission.WORK_BREAKS: _to(FINANCE),
    # And what an import needs: the bank's accounts and the mappings of their files.
    Permission.IMPORT_STATEMENTS: _to(FINANCE),
    Permission.READ_PAYOUTS: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    # Administrative review of a failed payout (milestone-payment-flow, Error Handling 2).
    Permission.REVIEW_PAYOUT: _to(FINANCE, ADMINISTRATOR),
    Permission.ASSIGN_PAYOUT: _to(FINANCE, ADMINISTRATOR),
    # The platform goes without the fee of another payout method.
    Permission.WAIVE_FEE: _to(FINANCE),
    Permission.AGREE_REPAYMENT: _to(FINANCE),
    Permission.SET_OFF_DEBT: _to(FINANCE),
    Permission.WRITE_OFF_DEBT: _to(FINANCE),
    Permission.CONFIRM_WRITE_OFF: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    # Whether payouts may go to a payee's new bank account before their time, later, or never.
    Permission.DECIDE_BANK_CHANGE: _to(FINANCE, COMPLIANCE),
    Permission.CONFIRM_BANK_CHANGE: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    Permission.CONFIRM_SETTLEMENT: _to(FINANCE, ADMINISTRATOR),
    Permission.RETRY_OPERATION: _to(FINANCE, ADMINISTRATOR),
    # What was decided before goes out; each call is looked for at Stripe first.
    Permission.RELEASE_REQUESTS: _to(FINANCE, ADMINISTRATOR),
    Permission.PROPOSE_RETURN: _to(FINANCE, ADMINISTRATOR),
    Permission.READ_CHARGEBACKS: _EVERYONE,
    Permission.ANSWER_CHARGEBACK: _to(FINANCE, COMPLIANCE),
    Permission.SETTLE_CHARGEBACK: _to(FINANCE, COMPLIANCE),
    # A letter that could not be delivered; whose address is wrong, somebody must have asked.
    Permission.SEND_LETTER: _EVERYONE,
    Permission.CORRECT_ADDRESS: _to(COMPLIANCE, ADMINISTRATOR),
    Permission.READ_PERSONAL_DATA: _to(COMPLIANCE, ADMINISTRATOR),
    # Whoever sees masks; mediators see people as they are.
    Permission.REVEAL_PERSON: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    Permission.PLACE_LEGAL_HOLD: _to(COMPLIANCE),
    Permission.EXPORT_PERSONAL_DATA: _to(COMPLIANCE),
    Permission.PROPOSE_ERASURE: _to(COMPLIANCE),
    Permission.CONFIRM_ERASURE: _to(COMPLIANCE, ADMINISTRATOR),
    Permission.READ_AUDIT: _to(COMPLIANCE, ADMINISTRATOR),
    Permission.EXPORT_AUDIT: _to(COMPLIANCE),
    Permission.VERIFY_AUDIT: _to(COMPLIANCE, ADMINISTRATOR),
    Permission.READ_PEOPLE: _to(MEDIATOR, COMPLIANCE, ADMINISTRATOR),
    Permission.READ_POLICY: _EVERYONE,
    Permission.CHANGE_POLICY: _to(ADMINISTRATOR),
    Permission.APPROVE_POLICY: _to(ADMINISTRATOR),
    # Compliance / Legal Review Checklist (payment-escrow-rules).
    Permission.SIGN_LEGAL_CHECK: _to(COMPLIANCE),
    Permission.MANAGE_STAFF: _to(ADMINISTRATOR),
    # With these a marketplace comes in, and is told.
    Permission.MANAGE_PLATFORM_KEYS: _to(ADMINISTRATOR),
    Permission.ROTATE_SIGNING_KEY: _to(COMPLIANCE, ADMINISTRATOR),
    Permission.INSTALL_DESK: _to(ADMINISTRATOR),
    Permission.RUN_CHECKS: _to(FINANCE, COMPLIANCE, ADMINISTRATOR),
    Permission.BACK_UP: _to(ADMINISTRATOR),
    # Whoever looks at a demo; any other desk refuses it to everyone.
    Permission.ADVANCE_DEMO_CLOCK: _EVERYONE,
}

# What moves money, binds others or changes who may: only by someone who has just proved who they are. `require` asks
# for it, so an action cannot forget it.
FRESH = frozenset(
    {
        Permission.DECIDE,
        Permission.DECIDE_ESCALATED,
        Permission.APPROVE_DECISION,
        Permission.CLOSE_CORRECTION,
        Permission.RELEASE_HOLD,
        Permission.SETTLE_RISK,
        Permission.PLACE_LEGAL_HOLD,
        Permission.PROPOSE_ERASURE,
        Permission.CONFIRM_ERASURE,
        Permission.EXPORT_PERSONAL_DATA,
        Permission.CONFIRM_SUSPENSE,
        Permission.CONFIRM_JOURNAL,
        Permission.CLOSE_PERIOD,
        Permission.CONFIRM_REOPENING,
        Permission.REVIEW_PAYOUT,
        Permission.WAIVE_FEE,
        Permission.SET_OFF_DEBT,
        Permission.CONFIRM_WRITE_OFF,
        Permission.CONFIRM_BANK_CHANGE,
        Permission.CONFIRM_SETTLEMENT,
        Permission.RETRY_OPERATION,
        Permission.RELEASE_REQUESTS,
        Permission.SETTLE_CHARGEBACK,
        Permission.APPROVE_POLICY,
        Permission.SIGN_LEGAL_CHECK,
        Permission.MANAGE_STAFF,
        Permission.MANAGE_PLATFORM_KEYS,
    }
)

BY_SYSTEM = frozenset(
    {
        Permission.ASSIGN_CASE,
        Permission.PLACE_HOLD,
        Permission.RUN_RECONCILIATION,
        Permission.RETRY_OPERATION,
        Permission.ADVANCE_DEMO_CLOCK,
    }
)

# Whoever has a terminal on the desk's machine and the database's login. Whatever they do is recorded under the name of
# their account there; a member of staff who says who they are (`--as`) has the permissions of their roles instead.
BY_OPERATOR = frozenset(
    {
        Permission.READ_CASES,
        Permission.READ_LEDGER,
        Permission.READ_PAYOUTS,
        Permission.READ_CHARGEBACKS,
        Permission.CLOSE_PERIOD,
        Permission.RUN_RECONCILIATION,
        Permission.IMPORT_STATEMENTS,
        Permission.CONFIRM_SETTLEMENT,
        Permission.RETRY_OPERATION,
        Permission.RELEASE_REQUESTS,
        Permission.VERIFY_AUDIT,
        Permission.EXPORT_AUDIT,
        Permission.EXPORT_CASE,
        Permission.EXPORT_LEDGER,
        Permission.RUN_CHECKS,
        Permission.MANAGE_STAFF,
        Permission.MANAGE_PLATFORM_KEYS,
        Permission.ROTATE_SIGNING_KEY,
        Permission.INSTALL_DESK,
        Permission.BACK_UP,
        Permission.ADVANCE_DEMO_CLOCK,
    }
)


@dataclass(frozen=True)
class Actor:
    """Whoever does it: a member of staff, a party of the project (payer or payee), the system itself (timers, and what
    the provider tells us), or an operator: an account of the machine, on the command line. `via` names that account.
    `proof` says to the database that an entry in their name comes from their session (`actions.staff.sessions`)."""

    kind: Literal["staff", "party", "system", "operator"]
    id: int | None
    roles: frozenset[Role] = frozenset()
    authenticated_at: datetime | None = None
    session_id: int | None = None
    via: str = ""
    known_as: str = ""
    proof: str = field(default="", repr=False, compare=False)

    @property
    def label(self) -> str:
        if self.kind == "operator":
            return f"{self.via} (command line)"
        return "the system" if self.id is None else f"{self.kind} {self.known_as or self.id}"


SYSTEM = Actor("system", None, frozenset())


class NotPermitted(DeskError):
    """You may not {action}: that is for {roles}."""


class NotYours(DeskError):
    """Only the party concerned may do this, and {actor} is not."""


class StepUpRequired(DeskError):
    """Sign in again to confirm that it is you: this is done only within {minutes} minutes of signing in."""


def allowed(actor: Actor, permission: Permission) -> bool:
    match actor.kind:
        case "staff":
            return actor.id is not None and bool(actor.roles & TABLE[permission])
        case "system":
            return permission in BY_SYSTEM
        case "operator":
            return bool(actor.via) and permission in BY_OPERATOR
    return False


def require(actor: Actor, permission: Permission, now: datetime | None = None) -> None:
    """Every action begins here. What stands in `FRESH` cannot be asked for without `now`, and asks for a fresh sign-in.

    Raises `NotPermitted`, `StepUpRequired`.
    """
    if not allowed(actor, permission):
        raise NotPermitted(action=permission.words, roles=holders(TABLE[permission]))
    if permission in FRESH:
        assert now is not None, (
            f"{permission} asks when the actor signed in, so its action says what time it is"
        )
        require_fresh(actor, now)


def require_decider(actor: Actor, now: datetime) -> None:
    """Whoever decides, or withdraws a decision, has just signed in: a mediator, or an administrator after a deadlock.

    Raises `NotPermitted`, `StepUpRequired`.
    """
    may = Permission.DECIDE if allowed(actor, Permission.DECIDE) else Permission.DECIDE_ESCALATED
    require(actor, may, now)


def staff_number(actor: Actor, *, action: str, roles: str = "members of staff") -> int:
    """Which member of staff acts, where only one may. Raises `NotPermitted`."""
    if actor.kind != "staff" or actor.id is None:
        raise NotPermitted(action=action, roles=roles)
    return actor.id


def require_one(actor: Actor, *permissions: Permission) -> None:
    """For looking and preparing: whoever holds any of these, however long ago they signed in."""
    if not any(allowed(actor, each) for each in permissions):
        roles = frozenset[Role]().union(*(TABLE[each] for each in permissions))
        raise NotPermitted(action=permissions[0].words, roles=holders(roles))


def deciding(*, escalated: bool) -> tuple[Permission, ...]:
    """Whoever holds any of these decides a case and withdraws its decision: mediators, of an escalated one
    administrators too (DESIGN 6)."""
    return (Permission.DECIDE, Permission.DECIDE_ESCALATED) if escalated else (Permission.DECIDE,)


def require_party(actor: Actor, party_id: int) -> None:
    """A party acts for itself only: the payer funds, approves and disputes, the payee submits and withdraws."""
    if actor.kind != "party" or actor.id is None or actor.id != party_id:
        raise NotYours(actor=actor.label)


def require_fresh(actor: Actor, now: datetime, within: timedelta = STEP_UP_WITHIN) -> None:
    """A member of staff has proved who they are at most `within` ago, inclusive. The system and the accounts of the
    machine do not sign in here."""
    if actor.kind in ("system", "operator"):
        return
    since = actor.authenticated_at
    if since is None or not timedelta(0) <= now - since <= within:
        raise StepUpRequired(minutes=int(within.total_seconds() // 60))


def holders(roles: frozenset[Role]) -> str:
    """Finance, compliance and administrators."""
    *some, last = (_PEOPLE.get(role, role.value) for role in Role if role in roles)
    return f"{', '.join(some)} and {last}" if some else last
