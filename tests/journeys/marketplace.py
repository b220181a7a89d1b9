"""The marketplace outside, as a program of its own: it comes in by the API, over HTTP, with a key and a signature.

Nothing is put into the database behind the desk's back: bids are accepted, paid by the sandbox and disputed as they
would be, and the demo's own worker does what has to be done between.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from time import time
from typing import Any

import requests

from core.api.http.signing import sign_request
from core.demo import documents, photographs
from tests.journeys.desk import ROOT, Demo, until

PARTS = {
    "SCOPE_BY_PAYER": "payer",
    "SCOPE_BY_PAYEE": "payee",
    "FEE": "payer",
    "CONFLICT_CHECK": "payee",
    "DISCLAIMERS": "payer",
}
numbers = count(1)


@dataclass
class Dispute:
    """One milestone, its case, and its two people by the marketplace's own ids."""

    project: int
    milestone: int
    number: int
    payer: str
    payee: str
    names: tuple[str, str]
    amount: int


@dataclass
class Marketplace:
    """`key` and `secret` are from `escrow-desk api-key create`, as an operator would hand them out."""

    demo: Demo
    key: str
    secret: str
    line: requests.Session = field(default_factory=requests.Session)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        return self._send(path, json.dumps(body).encode(), "application/json")

    def hand_in(
        self, dispute: Dispute, party: str, name: str, content: bytes, media: str, caption: str
    ) -> None:
        """A piece of evidence, as a browser's form would send it."""
        form = requests.Request(
            "POST",
            "http://x/",
            data={"party": party, "caption": caption},
            files={"file": (name, content, media)},
        ).prepare()
        assert isinstance(form.body, bytes)
        self._send(f"/milestones/{dispute.milestone}/evidence", form.body, form.headers["Content-Type"])

    def _send(self, path: str, body: bytes, media: str) -> dict[str, Any]:
        target, key = f"/api/v1{path}", f"journey-{next(numbers)}-{time()}"
        signature = sign_request(
            self.secret,
            at=int(time()),
            method="POST",
            target=target,
            idempotency_key=key,
            body_sha256=hashlib.sha256(body).hexdigest(),
        )
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Desk-Signature": signature,
            "Idempotency-Key": key,
            "Content-Type": media,
        }
        answer = self.line.post(self.demo.url + target, data=body, headers=headers, timeout=60)
        assert answer.ok, (path, answer.text)
        said: dict[str, Any] = answer.json()
        return said

    # -- what people there do --

    def people(self, payer: str, payee: str) -> tuple[str, str]:
        """Two people whom the marketplace knows, with a card and a bank."""
        number = next(numbers)
        known = []
        for role, name in (("PAYER", payer), ("PAYEE", payee)):
            party = f"{role.lower()}-{number}-{int(time())}"
            self.post(
                "/parties",
                {
                    "external_id": party,
                    "role": role,
                    "name": name,
                    "email": f"{party}@example.com",
                    "city": "Portland",
                },
            )
            token = (
                {"payment_method": "pm_card_bypassPending"}
                if role == "PAYER"
                else {"bank_token": "btok_us_verified"}
            )
            self.post("/provider-accounts", {"party": party, "currency": "USD", **token})
            known.append(party)
        return known[0], known[1]

    def paid(
        self, title: str, minor: int, *, payer: str, payee: str, scope: str, deliverable: str
    ) -> Dispute:
        """A bid accepted, divided in two, confirmed, and its first milestone paid and held."""
        a, b = self.people(payer, payee)
        project = self.post(
            "/bids",
            {
                "bid_reference": f"journey-{next(numbers)}-{int(time())}",
                "payer": a,
                "payee": b,
                "title": title,
                "scope": scope,
                "project_type": "LANDSCAPING",
                "fee_mode": "STAGED",
                "total": {"minor": minor + 50_000, "currency": "USD"},
            },
        )
        path = f"/projects/{project['id']}"
        division = [
            {"title": name, "deliverable": what, "amount": {"minor": each, "currency": "USD"}}
            for name, what, each in (
                ("Path and lawn", deliverable, minor),
                ("Handover", "Everything works.", 50_000),
            )
        ]
        self.post(f"{path}/milestones", {"party": a, "milestones": division})
        for part, who in PARTS.items():
            project = self.post(f"{path}/engagement", {"party": a if who == "payer" else b, "part": part})
        first = project["milestones"][0]["id"]
        self.post(f"{path}/fund", {"party": a, "milestones": [first]})
        held = "select held_minor from payment_orders where milestone_id = :m"
        until(lambda: self.demo.one(held, m=first) == minor)
        return Dispute(project["id"], first, 0, a, b, (payer, payee), minor)

    def in_mediation(self, title: str, minor: int, *, photos: int = 0, **told: str) -> Dispute:
        """The work was handed in, disputed and talked about, and one side asked for a mediator."""
        case = self.paid(title, minor, **told)
        path = f"/milestones/{case.milestone}"
        self.post(f"{path}/complete", {"party": case.payee})
        details = "Water stands on the path after every rain, and the lawn has died in two places."
        self.post(f"{path}/dispute", {"party": case.payer, "reason": "INCOMPLETE", "details": details})
        self.say(
            case,
            case.payee,
            "The path was even when I left. The lawn needs water; more seed is on back order.",
        )
        self.say(case, case.payer, "Nobody told me about a back order, and I watered it every day.")
        for number in range(photos):
            who = case.payer if number % 2 == 0 else case.payee
            picture = photographs.photo(40 + number, sorted(photographs.SCENES)[number], datetime.now(UTC))
            self.hand_in(case, who, f"photo-{number + 1}.jpg", picture, "image/jpeg", "As it looked that day")
        if photos:
            words = "Mon: path laid and rolled.\nTue: lawn sown.\nBeds: plants ordered, not delivered.\n"
            self.hand_in(case, case.payee, "work-log.txt", words.encode(), "text/plain", "My log")
            report = documents.report_pdf(
                title="Inspection of path and lawn",
                author="A surveyor",
                site="Portland",
                on=datetime.now(UTC),
                findings=[("Drainage", "Water stands on the path for hours."), ("Lawn", "Two bare patches.")],
            )
            self.hand_in(
                case, case.payer, "inspection.pdf", report, "application/pdf", "What a surveyor found"
            )
        case.number = int(self.post(f"{path}/mediation", {"party": case.payee})["dispute"])
        return case

    def say(self, case: Dispute, party: str, words: str) -> None:
        self.post(f"/milestones/{case.milestone}/messages", {"party": party, "body": words})

    def answer(self, case: Dispute, party: str, words: str) -> None:
        self.post(f"/disputes/{case.number}/answer", {"party": party, "body": words})


def a_marketplace(demo: Demo) -> Marketplace:
    """With a key of its own, made from the terminal."""
    command = [sys.executable, "-m", "core.cli", "api-key", "create", "--platform", "home_services", "--json"]
    environment = {**os.environ, "ESCROW_DESK_HOME": str(demo.home)}
    environment.pop("DATABASE_URL", None)
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    key = json.loads(made.stdout)
    return Marketplace(demo, key["api_key"], key["signing_secret"])
