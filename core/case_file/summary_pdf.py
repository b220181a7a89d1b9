"""The printed side of a case file: what was decided, for whom, with which money and why, on A4."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from core.money import Money
from core.paper import DIM, PLAIN, safe, style
from core.rules.items import in_words, recorded

TITLE = style("title", 17, 22, bold=True)
HEAD = style("head", 11, 16, bold=True, spaceBefore=10)
BODY = style("body", 9.5, 13.5)
NOTE = style("note", 8, 11, textColor=DIM)

# The same files are printed byte for byte the same by the same printer. The number rises with the layout, and a case
# file is verified by the layout that it was printed in.
PRINTERS: Mapping[str, int] = {f"reportlab {reportlab.Version}, layout {number}": number for number in (4, 5)}
PRINTER, LAYOUT = max(PRINTERS.items(), key=lambda each: each[1])
FORMER: Mapping[int, Mapping[str, str]] = {
    4: {
        "Set off against the payee's debt": "Kept back for what the payee owes",
        "Settlement proposals": "Offers between the parties",
        "Proposal": "Offer",
        "The settlement": "The agreement",
        "E-mail": "Letter",
        "submitted": "handed in",
    }
}

AMOUNTS = (
    ("Held", "held"),
    ("Released to the payee", "release"),
    ("Refunded of the milestone", "refund"),
    ("Platform fee kept", "fee_kept"),
    ("Platform fee returned", "fee_returned"),
    ("Absorbed by the platform", "concession"),
    ("Payer receives in total", "refund_total"),
    ("Set off against the payee's debt", "kept_back"),
    ("Withdrawal fee", "withdrawal_fee"),
    ("Payee receives", "payee_net"),
)


def summary(files: Mapping[str, bytes], layout: int = LAYOUT) -> bytes:
    """The same files give the same PDF: it bears no time of its own."""
    out, said = io.BytesIO(), _said(layout)
    case = json.loads(files["case.json"])
    document = SimpleDocTemplate(
        out, pagesize=A4, title=f"Case D-{case['ticket']['id']}", author="Escrow Desk", invariant=1
    )
    document.build(
        [
            *_opening(case),
            *_decision(files, said),
            *_agreement(files, said),
            *_evidence(files, said),
            *_letters(files, said),
        ]
    )
    return out.getvalue()


Said = Callable[[str], str]


def _said(layout: int) -> Said:
    """The words of this layout for those of today."""
    former = FORMER.get(layout, {})
    return lambda words: former.get(words, words)


def _opening(case: Mapping[str, Any]) -> Iterator[Flowable]:
    record, milestone, project = case["ticket"], case["milestone"], case["project"]
    yield Paragraph(f"Case D-{record['id']}: {safe(milestone['title'])}", TITLE)
    parties = ", ".join(f"{each['name']} ({each['role'].lower()})" for each in case["parties"])
    yield Paragraph(safe(f"{project['title']} · {parties}"), NOTE)
    yield Paragraph("What was agreed", HEAD)
    yield from _words(project["scope"])
    yield Paragraph(safe(f"Deliverable: {milestone['deliverable']}"), BODY)
    yield Paragraph("The complaint", HEAD)
    yield from _words(record["details"] or record["reason"])


def _words(text: str) -> Iterator[Flowable]:
    """Line by line, as they were written."""
    for line in text.splitlines():
        yield Paragraph(safe(line), BODY) if line.strip() else Spacer(1, 6)


def _decision(files: Mapping[str, bytes], said: Said) -> Iterator[Flowable]:
    if "plan.json" not in files:
        if "agreement.json" not in files:
            yield Paragraph("Not decided yet", HEAD)
        return
    plan, decision = json.loads(files["plan.json"]), json.loads(files["decision.json"])
    yield Paragraph("The decision", HEAD)
    words = (
        f"{plan['outcome']} on the ground {plan['ground']}, {decision['made_at']} by staff {plan['maker']}"
    )
    checked = f", approved by staff {decision['checker_id']}" if decision["checker_id"] else ""
    yield Paragraph(safe(words.replace("_", " ").lower() + checked), BODY)
    yield Spacer(1, 6)
    currency = plan["amounts"]["currency"]
    yield _amounts(plan, said)
    if "items" in plan:
        yield Paragraph("Item by item", HEAD)
        for item, earned in recorded(plan["items"], currency):
            yield Paragraph(safe(f"{item.title}: {in_words(item, earned)}"), BODY)
    yield Paragraph("Reasons", HEAD)
    yield from _words(plan["reasons"])
    yield Paragraph(f"Plan {decision['plan_hash']}", NOTE)


def _amounts(plan: Mapping[str, Any], said: Said) -> Table:
    stated = plan["amounts"]
    rows = [
        [said(label), Money(stated[key], stated["currency"]).text()]
        for label, key in AMOUNTS
        if key in stated
    ]
    return Table(
        rows,
        colWidths=(260, 140),
        style=[("ALIGN", (1, 0), (1, -1), "RIGHT"), ("FONT", (0, 0), (-1, -1), PLAIN, 9)],
    )


def _agreement(files: Mapping[str, bytes], said: Said) -> Iterator[Flowable]:
    if "offers.json" not in files:
        return
    yield Paragraph(said("Settlement proposals"), HEAD)
    for each in json.loads(files["offers.json"]):
        release, refund = (Money(each[f"{name}_minor"], each["currency"]) for name in ("release", "refund"))
        who = f"{said('Proposal')} {each['id']} of party {each['proposed_by']}"
        words = f"{who}, {each['made_at']}: {release} to the payee, "
        yield Paragraph(safe(f"{words}{refund} to the payer; {each['status'].lower()}. {each['note']}"), BODY)
    if "agreement.json" in files:
        agreed = json.loads(files["agreement.json"])
        yield Paragraph(said("The settlement"), HEAD)
        yield _amounts(agreed, said)


def _letters(files: Mapping[str, bytes], said: Said) -> Iterator[Flowable]:
    if "plan.json" not in files:
        return
    for letter in json.loads(files["plan.json"])["letters"]:
        edited = ", in the mediator's own words" if "passage" in letter else ""
        yield Paragraph(safe(f"{said('E-mail')} to the {letter['audience']}{edited}"), HEAD)
        yield Paragraph(safe(letter["subject"]), BODY)
        for line in letter["text"].splitlines():
            yield Paragraph(safe(line), NOTE)


def _evidence(files: Mapping[str, bytes], said: Said) -> Iterator[Flowable]:
    yield Paragraph("Evidence", HEAD)
    for piece in json.loads(files["evidence.json"]):
        named = f"{piece['id']}. {piece['file_name']}: {piece['caption']}"
        yield Paragraph(safe(named), BODY)
        yield Paragraph(f"{piece['sha256']} · {said('submitted')} {piece['at']}", NOTE)
