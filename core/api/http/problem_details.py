"""Refusals as `application/problem+json`: a code for the program, a sentence for the reader, the facts behind it.

Each error of the domain has one status: what is unknown or another platform's is 404, what is somebody else's to do is
403, what the present state forbids is 409, and everything else that a request can get wrong is 422.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import structlog
from starlette.responses import JSONResponse

from core.actions.cases.disputes import NoOpenDispute
from core.actions.cases.mediator_assignment import CaseClosed
from core.actions.decisions.recorded_decision import AlreadyDecided
from core.actions.demo.clock import AlreadyMoving
from core.actions.funding.charges import NothingToConfirm
from core.actions.funding.fund import NoPaymentMethod, NotAwaitingFunding
from core.actions.funding.settlement_currency import CurrencyNotSettled, SettlementUnknown
from core.actions.milestones import parties
from core.actions.milestones.bids import BidKnownOtherwise
from core.actions.milestones.orders import PaymentInFlight
from core.actions.milestones.ratings import NotAsked, ReviewedAlready
from core.actions.milestones.verification import NotASession
from core.actions.operations.operation_keys import NoInstallationMark
from core.actions.parties.details import CountryFixed
from core.actions.payouts.method_offers import NotOffered
from core.actions.payouts.payout_review import OutcomeStillUnknown, PayoutNotInReview
from core.actions.risk.holds import NoOpenComplaint, NotALateComplaint
from core.actions.risk.practice_flags import MismatchFlagged, MismatchResolved
from core.actions.risk.reports import ReportKnownOtherwise
from core.api.http.api_keys import ApiMasterKeyExposed, ApiMasterKeyUnfit, KeyMissing, KeyUnknown
from core.api.http.rate_limits import TooManyRequests
from core.api.http.signing import SignatureMissing, SignatureStale, SignatureWrong
from core.api.webhooks.endpoints import EndpointKnown
from core.errors import ChangedMeanwhile, DeskError, NotFound, Wording
from core.gateways.evidence_keys import EvidenceKeyExposed, EvidenceKeyLost, EvidenceKeyWrong
from core.gateways.files import DiskUnusable
from core.gateways.payments import NeedsOperator, NotRead, OutcomeUnknown
from core.money import Money
from core.request_body import BodyTooLarge
from core.rules.cases import AnswerNotDue, DisputeWindowClosed
from core.rules.evidence import EvidenceRefused, FileTooLarge, TooManyFiles
from core.rules.holds import ReleaseBlocked, outside
from core.rules.parties import PartyErased
from core.rules.payee_accounts import CurrencyNotTaken
from core.rules.permissions import NotPermitted, NotYours
from core.rules.projects import FundedInTurn, FundedWithGap
from core.rules.ratings import ReviewsClosed
from core.rules.refusal_reasons import Block, Blocked
from core.rules.requests import NothingAsked
from core.rules.schedule import ScheduleRefused
from core.rules.settlement_proposals import SettlementProposalExpired, SettlementProposalNotYours
from core.rules.splits import NothingHeld
from core.rules.transitions import IllegalMove
from core.rules.webhooks import KeyJustRotated, KeyShownOnce, SecretJustRotated

log = structlog.get_logger("api")

MEDIA_TYPE = "application/problem+json"


class RequestUnreadable(DeskError):
    """The request cannot be read: {why}"""


class UnsupportedMediaType(DeskError):
    """This is read as {needed} only; send that, and say so in Content-Type."""


class ReadOnlyKey(DeskError):
    """This key may read and not change anything."""


class Conflict(DeskError):
    """Something else changed this at the same moment, or it is there already. Read it again, then decide."""


class KeyReused(DeskError):
    """This Idempotency-Key was used for another request. Use a new one for a new request."""


class StillBusy(DeskError):
    """The same thing is being changed by another request. Send this one again in a moment."""


class AskedDifferently(DeskError, tells=("fields",)):
    """{kind} {id} is known here with another {what}. What is stored stays and nothing was changed.

    Send it as it is stored to get it again. A party's details are changed at their own address.
    """


class FilesErased(DeskError, tells=("party",)):
    """The files of this party were erased and cannot be read again. What the record says about them remains."""


class AnswerErased(DeskError):
    """What was answered under this idempotency key named a person who was erased since. It was done: do not
    repeat it."""


class CaseDecided(DeskError):
    """Dispute {dispute} is decided, or about to be: there is nothing left to agree about."""


BUSY = "more is asked of it than it can do at once"


class Unavailable(DeskError):
    """The desk cannot do this right now: {why}. Send the same request again later."""


STATUSES: Mapping[type[DeskError], int] = {
    RequestUnreadable: 400,
    KeyMissing: 401,
    KeyUnknown: 401,
    SignatureMissing: 401,
    SignatureStale: 401,
    SignatureWrong: 401,
    NotPermitted: 403,
    NotYours: 403,
    ReadOnlyKey: 403,
    NotFound: 404,
    Conflict: 409,
    KeyReused: 409,
    StillBusy: 409,
    AskedDifferently: 409,
    ChangedMeanwhile: 409,
    ScheduleRefused: 422,
    Blocked: 409,
    IllegalMove: 409,
    PaymentInFlight: 409,
    NotAwaitingFunding: 409,
    NothingToConfirm: 409,
    NoPaymentMethod: 409,
    CurrencyNotSettled: 409,
    CurrencyNotTaken: 409,
    SettlementUnknown: 503,
    FundedInTurn: 409,
    FundedWithGap: 409,
    BidKnownOtherwise: 409,
    DisputeWindowClosed: 409,
    AnswerNotDue: 409,
    NoOpenDispute: 409,
    NotALateComplaint: 409,
    NoOpenComplaint: 409,
    NotASession: 409,
    NothingAsked: 409,
    **dict.fromkeys((EndpointKnown, KeyJustRotated, KeyShownOnce, SecretJustRotated), 409),
    **dict.fromkeys((ReportKnownOtherwise, MismatchFlagged, MismatchResolved), 409),
    **dict.fromkeys((NotAsked, ReviewedAlready, ReviewsClosed), 409),
    **dict.fromkeys((CaseClosed, CaseDecided, SettlementProposalExpired, NothingHeld), 409),
    SettlementProposalNotYours: 403,
    **dict.fromkeys((NotOffered, PayoutNotInReview, OutcomeStillUnknown), 409),
    TooManyFiles: 409,
    FilesErased: 409,
    PartyErased: 410,
    AnswerErased: 410,
    parties.AccountKnownOtherwise: 409,
    parties.NoAccountYet: 409,
    AlreadyMoving: 409,
    CountryFixed: 409,
    BodyTooLarge: 413,
    UnsupportedMediaType: 415,
    FileTooLarge: 413,
    TooManyRequests: 429,
    OutcomeUnknown: 503,
    NeedsOperator: 503,
    Unavailable: 503,
}
# What any operation may be refused with; the others are named with their operation.
ANYWHERE: tuple[type[DeskError], ...] = (
    RequestUnreadable,
    KeyMissing,
    KeyUnknown,
    SignatureMissing,
    SignatureStale,
    SignatureWrong,
    ReadOnlyKey,
    NotFound,
    Conflict,
    KeyReused,
    PartyErased,
    AnswerErased,
    StillBusy,
    ChangedMeanwhile,
    BodyTooLarge,
    UnsupportedMediaType,
    TooManyRequests,
    Unavailable,
)
HTTP_CODES: Mapping[int, str] = {
    400: "request_unreadable",
    404: "no_such_address",
    405: "method_not_allowed",
    413: "body_too_large",
}
# Those that are no error of the domain.
PLAIN_CODES = frozenset({*HTTP_CODES.values(), "request_invalid", "value_unusable", "internal_fault"})
RETRY_AFTER: Mapping[type[DeskError], int] = {
    StillBusy: 2,
    OutcomeUnknown: 30,
    NotRead: 30,
    NeedsOperator: 30,
    Unavailable: 30,
}


def status_of(error: type[DeskError]) -> int:
    """By the nearest class in the table; 422 where there is none."""
    return next((STATUSES[each] for each in error.__mro__ if each in STATUSES), 422)


def for_outsiders(error: DeskError) -> DeskError:
    """What staff wrote about a hold, and who of staff decided, is for staff; the desk's own numbers say nothing."""
    match error:
        case ReleaseBlocked():
            return ReleaseBlocked(outside(error.facts["blocks"]))
        case AlreadyDecided():
            return CaseDecided(dispute=error.facts["case"])
        case ApiMasterKeyExposed() | ApiMasterKeyUnfit() | NoInstallationMark():
            return Unavailable(why="it is not set up yet")
        case EvidenceKeyExposed() | EvidenceKeyLost() | EvidenceKeyWrong():
            return Unavailable(why="its store of files is not set up")
        case DiskUnusable():
            return Unavailable(why="its disk takes no more files")
    return error


# The name of several refusals: which one it is says the kind, and none is only this.
GROUPS = frozenset({EvidenceRefused})
WORKERS_OWN = "core.processes.outgoing."  # what is raised there no request waits for


def kinds_of(error: type[DeskError]) -> Iterator[type[DeskError]]:
    """The error itself and every kind of it that a request can meet."""
    if error not in GROUPS and not error.__module__.startswith(WORKERS_OWN):
        yield error
    for kind in error.__subclasses__():
        yield from kinds_of(kind)


# Every refusal that is described: any of these, and what the operations name beside them (`refusals`).
DECLARED: set[type[DeskError]] = set(ANYWHERE)


def is_declared(error: type[DeskError]) -> bool:
    """Whether the description has its code. What it does not name is no refusal, it is a fault of ours."""
    return not DECLARED.isdisjoint(error.__mro__)


def problem(error: DeskError) -> JSONResponse:
    error = for_outsiders(error)
    if not is_declared(type(error)):
        log.error("api.undeclared", code=error.code, exc_info=error)
        return fault()
    status, headers = status_of(type(error)), dict[str, str]()
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.facts["seconds"])
    elif type(error) in RETRY_AFTER:
        headers["Retry-After"] = str(RETRY_AFTER[type(error)])
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return written(status, error.code, error.message, for_programs(error), headers)


# What is only said: a program reads the code of the problem, and the facts that are ids, codes, amounts and times.
PROSE = frozenset("accepted action attachment found named reason reasons refused roles what who why".split())


def for_programs(error: DeskError) -> Mapping[str, Any]:
    """The facts that its class names, without words, titles and labels; what else is known of it is the desk's own."""
    if isinstance(error, NotYours):
        return {"party": error.facts["actor"].removeprefix("party ")}
    return {
        outside_name(name): _token(each) if name == "kind" else each
        for name, each in error.facts.items()
        if name in error.fields() - PROSE and not (isinstance(each, Wording) and each.code is None)
    }


def outside_name(name: str) -> str:
    """A marketplace has disputes where the desk has cases."""
    return "dispute" if name == "case" else name


def _token(kind: str) -> str:
    """`practice flag` as practice_flag."""
    code = str(kind.code if isinstance(kind, Wording) else kind)
    return outside_name(code).replace(" ", "_").replace("-", "_")


def fault() -> JSONResponse:
    return written(500, "internal_fault", "Internal error. Nothing was done; the error has been logged.")


def written(
    status: int,
    code: str,
    detail: str,
    facts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    content = {
        "type": f"urn:escrow-desk:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": _text(detail),
        "code": code,
        "facts": plain(facts or {}),
    }
    return JSONResponse(content, status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def plain(value: Any) -> Any:
    """Facts as JSON: money and blocks as objects, times as text, and what is none of these in words."""
    match value:
        case None | bool() | int():
            return value
        case Wording():
            return plain(value.code)
        case Money():
            return value.as_dict()
        case Block():
            return {"code": value.code, **({"field": value.field} if value.field else {})}
        case date():
            return value.isoformat()
        case timedelta():
            return int(value.total_seconds())
        case Mapping():
            return {_text(str(name)): plain(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(each) for each in value]
    return _text(str(value))


def _text(text: str) -> str:
    """What came in broken goes out marked, not as an error of ours."""
    return text.encode("utf-8", "replace").decode()
