"""A method for each operation of the API, made by `python -m scripts.client` from its description."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Operations(ABC):
    """`key`: the idempotency key; a new one is drawn without it."""

    @abstractmethod
    def get(self, path: str, **query: Any) -> Any: ...

    @abstractmethod
    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any: ...

    @abstractmethod
    def upload(
        self, path: str, fields: dict[str, str], file: tuple[str, bytes, str], *, key: str | None = None
    ) -> Any: ...

    def read_platform(self) -> Any:
        """Read what is in force."""
        return self.get("/platform")

    def register_party(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Make a party known."""
        return self.post("/parties", body, key=key)

    def list_parties(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, external_id: Any = None, role: Any = None) -> Any:
        """List parties."""
        return self.get("/parties", limit=limit, cursor=cursor, sort=sort, external_id=external_id, role=role)

    def open_provider_account(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Open a party's account at the payment provider."""
        return self.post("/provider-accounts", body, key=key)

    def choose_emails(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Choose which e-mails come, and how often."""
        return self.post("/email-preferences", body, key=key)

    def read_email_preferences(self, *, external_id: Any) -> Any:
        """Read which e-mails a party wants."""
        return self.get("/email-preferences", external_id=external_id)

    def begin_setup(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Begin to save a payer's payment method."""
        return self.post("/payment-method-setups", body, key=key)

    def read_setup(self, setup_id: int) -> Any:
        """Read how saving a method stands."""
        return self.get(f"/payment-method-setups/{setup_id}")

    def make_account_link(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Make a link to the payment provider's onboarding."""
        return self.post("/account-links", body, key=key)

    def replace_bank_account(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Replace a payee's bank account."""
        return self.post("/bank-account", body, key=key)

    def replace_payment_method(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Replace what a payer pays with."""
        return self.post("/payment-method", body, key=key)

    def change_details(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Change a party's details."""
        return self.post("/party-details", body, key=key)

    def accept_bid(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Accept a bid."""
        return self.post("/bids", body, key=key)

    def confirm_engagement(self, project_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Confirm a part of the engagement."""
        return self.post(f"/projects/{project_id}/engagement", body, key=key)

    def adjust_milestones(self, project_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Adjust the milestones."""
        return self.post(f"/projects/{project_id}/milestones", body, key=key)

    def read_project(self, project_id: int) -> Any:
        """Read a project."""
        return self.get(f"/projects/{project_id}")

    def read_schedule(self, project_id: int) -> Any:
        """Read the payment schedule."""
        return self.get(f"/projects/{project_id}/schedule")

    def fund_milestones(self, project_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Fund one milestone or several."""
        return self.post(f"/projects/{project_id}/fund", body, key=key)

    def choose_funding(self, project_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Choose funding in turn or ahead."""
        return self.post(f"/projects/{project_id}/funding", body, key=key)

    def read_milestone(self, milestone_id: int) -> Any:
        """Read a milestone."""
        return self.get(f"/milestones/{milestone_id}")

    def read_dispute(self, dispute_id: int) -> Any:
        """Read a dispute."""
        return self.get(f"/disputes/{dispute_id}")

    def complete_milestone(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Mark a milestone as complete."""
        return self.post(f"/milestones/{milestone_id}/complete", body, key=key)

    def complete_session(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Say that a consultation took place."""
        return self.post(f"/milestones/{milestone_id}/session-completed", body, key=key)

    def cancel_payment(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Call off a payment that waits for the payer."""
        return self.post(f"/milestones/{milestone_id}/cancel-payment", body, key=key)

    def approve_milestone(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Approve a milestone."""
        return self.post(f"/milestones/{milestone_id}/approve", body, key=key)

    def withdraw_dispute(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Withdraw a dispute."""
        return self.post(f"/milestones/{milestone_id}/withdraw-dispute", body, key=key)

    def ask_mediation(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Ask for mediation."""
        return self.post(f"/milestones/{milestone_id}/mediation", body, key=key)

    def withdraw_complaint(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Withdraw a late complaint."""
        return self.post(f"/milestones/{milestone_id}/withdraw-complaint", body, key=key)

    def open_dispute(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Dispute the work."""
        return self.post(f"/milestones/{milestone_id}/dispute", body, key=key)

    def explain_dispute(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Give the details of a dispute."""
        return self.post(f"/milestones/{milestone_id}/dispute-details", body, key=key)

    def resubmit_milestone(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Ask for verification again."""
        return self.post(f"/milestones/{milestone_id}/resubmit", body, key=key)

    def complain_late(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Complain after the dispute window."""
        return self.post(f"/milestones/{milestone_id}/complaint", body, key=key)

    def send_message(self, milestone_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Send a message."""
        return self.post(f"/milestones/{milestone_id}/messages", body, key=key)

    def read_messages(self, milestone_id: int, *, limit: Any = None, cursor: Any = None, sort: Any = None, after: Any = None) -> Any:
        """List the messages of a milestone."""
        return self.get(f"/milestones/{milestone_id}/messages", limit=limit, cursor=cursor, sort=sort, after=after)

    def answer_request(self, dispute_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Answer what staff asked."""
        return self.post(f"/disputes/{dispute_id}/answer", body, key=key)

    def submit_evidence(self, milestone_id: int, fields: dict[str, str], file: tuple[str, bytes, str], *, key: str | None = None) -> Any:
        """Submit evidence."""
        return self.upload(f"/milestones/{milestone_id}/evidence", fields, file, key=key)

    def read_evidence(self, evidence_id: int) -> Any:
        """Read a piece of evidence."""
        return self.get(f"/evidence/{evidence_id}")

    def fetch_evidence(self, evidence_id: int, *, reencoded: Any = None) -> Any:
        """Fetch a piece of evidence."""
        return self.get(f"/evidence/{evidence_id}/file", reencoded=reencoded)

    def read_email(self, email_id: int) -> Any:
        """Read an e-mail."""
        return self.get(f"/emails/{email_id}")

    def propose_settlement(self, dispute_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Propose a division."""
        return self.post(f"/disputes/{dispute_id}/settlement-proposals", body, key=key)

    def read_settlement_proposals(self, dispute_id: int, *, limit: Any = None, cursor: Any = None, sort: Any = None, status: Any = None) -> Any:
        """List the settlement proposals of a dispute."""
        return self.get(f"/disputes/{dispute_id}/settlement-proposals", limit=limit, cursor=cursor, sort=sort, status=status)

    def accept_settlement_proposal(self, settlement_proposal_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Accept a settlement proposal."""
        return self.post(f"/settlement-proposals/{settlement_proposal_id}/accept", body, key=key)

    def decline_settlement_proposal(self, settlement_proposal_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Decline a settlement proposal."""
        return self.post(f"/settlement-proposals/{settlement_proposal_id}/decline", body, key=key)

    def withdraw_settlement_proposal(self, settlement_proposal_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Withdraw a settlement proposal."""
        return self.post(f"/settlement-proposals/{settlement_proposal_id}/withdraw", body, key=key)

    def read_refund(self, refund_id: int) -> Any:
        """Read a refund."""
        return self.get(f"/refunds/{refund_id}")

    def read_chargeback(self, chargeback_id: int) -> Any:
        """Read a chargeback."""
        return self.get(f"/chargebacks/{chargeback_id}")

    def read_receipt(self, receipt_id: int) -> Any:
        """Read a receipt."""
        return self.get(f"/receipts/{receipt_id}")

    def fetch_receipt(self, receipt_id: int) -> Any:
        """Fetch the PDF of a receipt."""
        return self.get(f"/receipts/{receipt_id}/pdf")

    def choose_withdrawal(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Choose how to be paid."""
        return self.post("/withdrawal-method", body, key=key)

    def read_payout(self, payout_id: int) -> Any:
        """Read a payout."""
        return self.get(f"/payouts/{payout_id}")

    def choose_payout_method(self, payout_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Choose another method for a failed payout."""
        return self.post(f"/payouts/{payout_id}/method", body, key=key)

    def file_report(self, project_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """A party reports something."""
        return self.post(f"/projects/{project_id}/reports", body, key=key)

    def file_content_event(self, project_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """A content rule found something."""
        return self.post(f"/projects/{project_id}/content-events", body, key=key)

    def read_report(self, report_id: int) -> Any:
        """Read a report."""
        return self.get(f"/reports/{report_id}")

    def read_practice_flag(self, flag_id: int) -> Any:
        """Read a flagged practice."""
        return self.get(f"/practice-flags/{flag_id}")

    def flag_practice(self, project_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Flag a practice of another state."""
        return self.post(f"/projects/{project_id}/practice-flags", body, key=key)

    def resolve_practice_flag(self, flag_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Resolve a flagged practice."""
        return self.post(f"/practice-flags/{flag_id}/resolve", body, key=key)

    def submit_review(self, project_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Review the other party."""
        return self.post(f"/projects/{project_id}/reviews", body, key=key)

    def read_reviews(self, project_id: int) -> Any:
        """Read the reviews of a project."""
        return self.get(f"/projects/{project_id}/reviews")

    def read_endpoints(self, *, limit: Any = None, cursor: Any = None, sort: Any = None) -> Any:
        """List endpoints."""
        return self.get("/webhook-endpoints", limit=limit, cursor=cursor, sort=sort)

    def add_endpoint(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Have events sent to an address."""
        return self.post("/webhook-endpoints", body, key=key)

    def replay_events(self, endpoint_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Tell events again."""
        return self.post(f"/webhook-endpoints/{endpoint_id}/replay", body, key=key)

    def rotate_endpoint(self, endpoint_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Replace an endpoint's secret."""
        return self.post(f"/webhook-endpoints/{endpoint_id}/rotate", body, key=key)

    def try_endpoint(self, endpoint_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Send a test event."""
        return self.post(f"/webhook-endpoints/{endpoint_id}/test", body, key=key)

    def remove_endpoint(self, endpoint_id: int, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Send no more events to an address."""
        return self.post(f"/webhook-endpoints/{endpoint_id}/remove", body, key=key)

    def read_deliveries(self, endpoint_id: int, *, limit: Any = None, cursor: Any = None, sort: Any = None) -> Any:
        """List deliveries."""
        return self.get(f"/webhook-endpoints/{endpoint_id}/deliveries", limit=limit, cursor=cursor, sort=sort)

    def rotate_key(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Replace this key."""
        return self.post("/api-keys/rotate", body, key=key)

    def read_events(self, *, endpoint: Any, limit: Any = None, cursor: Any = None, sort: Any = None, after: Any = None) -> Any:
        """List events."""
        return self.get("/events", limit=limit, cursor=cursor, sort=sort, endpoint=endpoint, after=after)

    def list_projects(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, bid_reference: Any = None, status: Any = None, project_type: Any = None, payer: Any = None, payee: Any = None) -> Any:
        """List projects."""
        return self.get("/projects", limit=limit, cursor=cursor, sort=sort, bid_reference=bid_reference, status=status, project_type=project_type, payer=payer, payee=payee)

    def list_milestones(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, party: Any = None, status: Any = None, payment_state: Any = None) -> Any:
        """List milestones."""
        return self.get("/milestones", limit=limit, cursor=cursor, sort=sort, project=project, party=party, status=status, payment_state=payment_state)

    def list_disputes(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, status: Any = None) -> Any:
        """List disputes."""
        return self.get("/disputes", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, status=status)

    def list_payments(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, state: Any = None) -> Any:
        """List payments."""
        return self.get("/payments", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, state=state)

    def list_payouts(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, status: Any = None) -> Any:
        """List payouts."""
        return self.get("/payouts", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, status=status)

    def list_refunds(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, status: Any = None) -> Any:
        """List refunds."""
        return self.get("/refunds", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, status=status)

    def list_receipts(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, kind: Any = None) -> Any:
        """List receipts."""
        return self.get("/receipts", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, kind=kind)

    def list_debts(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, party: Any = None) -> Any:
        """List debts."""
        return self.get("/debts", limit=limit, cursor=cursor, sort=sort, party=party)

    def list_chargebacks(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, status: Any = None) -> Any:
        """List chargebacks."""
        return self.get("/chargebacks", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, status=status)

    def list_holds(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, active: Any = None) -> Any:
        """List holds."""
        return self.get("/holds", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, active=active)

    def list_payee_holds(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, party: Any = None, active: Any = None) -> Any:
        """List payee holds."""
        return self.get("/payee-holds", limit=limit, cursor=cursor, sort=sort, party=party, active=active)

    def list_risk_reviews(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, open: Any = None) -> Any:
        """List risk reviews."""
        return self.get("/risk-reviews", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, open=open)

    def list_reports(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, kind: Any = None, open: Any = None) -> Any:
        """List reports."""
        return self.get("/reports", limit=limit, cursor=cursor, sort=sort, project=project, kind=kind, open=open)

    def list_evidence(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, project: Any = None, milestone: Any = None, party: Any = None, dispute: Any = None, kind: Any = None) -> Any:
        """List evidence."""
        return self.get("/evidence", limit=limit, cursor=cursor, sort=sort, project=project, milestone=milestone, party=party, dispute=dispute, kind=kind)

    def list_emails(self, *, limit: Any = None, cursor: Any = None, sort: Any = None, party: Any = None, project: Any = None, milestone: Any = None, dispute: Any = None, status: Any = None) -> Any:
        """List e-mails."""
        return self.get("/emails", limit=limit, cursor=cursor, sort=sort, party=party, project=project, milestone=milestone, dispute=dispute, status=status)

    def read_clock(self) -> Any:
        """Read the demo's clock."""
        return self.get("/demo/clock")

    def advance_clock(self, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """Move the demo's clock forward."""
        return self.post("/demo/clock", body, key=key)
