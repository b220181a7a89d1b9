"""One refund, receipt or chargeback, and the PDF of a receipt. Their lists are in `lists`."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from core.actions.milestones import documents
from core.api import lookups
from core.api import money_serializers as money
from core.api.http.dependencies import CurrentCaller, CurrentDesk, ReadSession, Route
from core.api.http.files import attachment, file_of
from core.api.models import requests
from core.api.models.responses.chargebacks import ChargebackAnswer
from core.api.models.responses.receipts import ReceiptAnswer
from core.api.models.responses.refunds import RefundAnswer
from core.records import Chargeback, Receipt, Refund
from core.rules.permissions import SYSTEM

router = APIRouter(route_class=Route, tags=["Payments"])


@router.get("/refunds/{refund_id}", summary="Read a refund", response_model=RefundAnswer)
def read_refund(caller: CurrentCaller, session: ReadSession, refund_id: requests.RefundId) -> Response:
    """A refund and how far it is. One that succeeded can still come back."""
    found = session.get(Refund, refund_id)
    row = lookups.of_milestone(session, caller, found, kind="refund", number=refund_id)
    return JSONResponse(money.of_refunds([row])[0])


@router.get("/chargebacks/{chargeback_id}", summary="Read a chargeback", response_model=ChargebackAnswer)
def read_chargeback(
    caller: CurrentCaller, session: ReadSession, chargeback_id: requests.ChargebackId
) -> Response:
    """What the payer's bank says. What the desk answers it is between the two."""
    found = session.get(Chargeback, chargeback_id)
    row = lookups.of_milestone(session, caller, found, kind="chargeback", number=chargeback_id)
    return JSONResponse(money.of_chargebacks([row])[0])


@router.get("/receipts/{receipt_id}", summary="Read a receipt", response_model=ReceiptAnswer)
def read_receipt(caller: CurrentCaller, session: ReadSession, receipt_id: requests.ReceiptId) -> Response:
    """A receipt, an invoice or a credit note, line by line."""
    found = session.get(Receipt, receipt_id)
    row = lookups.of_milestone(session, caller, found, kind="receipt", number=receipt_id)
    return JSONResponse(money.of_receipts(session, [row])[0])


@router.get(
    "/receipts/{receipt_id}/pdf",
    summary="Fetch the PDF of a receipt",
    response_class=Response,
    responses=file_of("application/pdf", "The paper, as the parties have it."),
)
def fetch_receipt(caller: CurrentCaller, desk: CurrentDesk, receipt_id: requests.ReceiptId) -> Response:
    """The same paper that the desk gives out. It bears names, so whoever takes it is on record."""

    def act(session: Session) -> tuple[str, bytes]:
        found = session.get(Receipt, receipt_id)
        row = lookups.of_milestone(session, caller, found, kind="receipt", number=receipt_id)
        settings, now = desk.settings, desk.clock()
        return documents.hand_out(session, SYSTEM, row, settings=settings, now=now, by_key=caller.prefix)

    name, content = desk.database.run(act)
    return attachment(name, content, media_type="application/pdf")
