"""What the parties of the demo submit: photographs, reports, invoices, mails, made to fit the dispute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from core.actions.cases import evidence
from core.demo.documents import email_text, invoice_pdf, photo, report_pdf
from core.money import Money
from core.records import Milestone, Party, Project
from core.rules.permissions import Actor

if TYPE_CHECKING:
    from core.demo.project_run import ProjectRun

# Each scene is drawn in so many variants; the time in the file still makes each photograph its own.
VARIANTS = 4
BEFORE = ("wall", "lawn", "drive", "patio", "wall_rendered")
TROUBLE = (
    "wall_cracked",
    "wall_cracked_measured",
    "wall_damp",
    "lawn_bare",
    "drive_flooded",
    "patio_cracked",
)


def of_completion(run: ProjectRun, milestone_id: int) -> None:
    """One photograph of the finished work, from most payees."""
    if run.draw.random() < 0.3:
        picture = photo(
            run.plan.number % VARIANTS, run.draw.choice(BEFORE), run.world.now - timedelta(hours=2)
        )
        _submit(run, run.payee, milestone_id, "finished_work.jpg", picture, "The finished work")


def of_complaint(run: ProjectRun, milestone_id: int, case_id: int) -> None:
    """Two photographs, and the order as the payer has it."""
    chosen = run.draw.sample(TROUBLE, k=2)
    for number, kind in enumerate(chosen, start=1):
        taken = run.world.now - timedelta(hours=run.draw.randrange(3, 40))
        picture = photo((run.plan.number + number) % VARIANTS, kind, taken)
        caption = f"Seen on {taken:%d %B}, photograph {number}"
        _submit(
            run,
            run.payer,
            milestone_id,
            f"IMG_{4100 + run.plan.number * 3 + number}.jpg",
            picture,
            caption,
            case_id,
        )
    invoice = invoice_pdf(
        number=f"INV-{2200 + run.plan.number}",
        seller=_name(run, run.payee_id),
        buyer=_name(run, run.payer_id),
        on=run.world.now - timedelta(days=12),
        lines=_lines(run, milestone_id),
    )
    _submit(run, run.payer, milestone_id, "order_confirmation.pdf", invoice, "Order as agreed", case_id)


def of_answer(run: ProjectRun, milestone_id: int, case_id: int) -> None:
    """A report with a photograph, and a mail."""
    taken = run.world.now - timedelta(hours=5)
    report = report_pdf(
        title="Inspection report",
        author=_name(run, run.payee_id),
        site=_title(run),
        on=taken,
        findings=(
            (
                "Condition",
                "Surfaces inspected at four points. Deviations are listed with their measured size.",
            ),
            ("Measurements", "Largest gap 1.8 mm over a length of 60 cm; moisture content 11 % to 13 %."),
            ("Cause", "Movement of the substrate during the first heating period is likely."),
        ),
        photos=((photo(run.plan.number % VARIANTS, "patio_measured", taken), "Measured on site"),),
        conclusion="The work can be used. Minor repair is offered within the warranty.",
    )
    _submit(run, run.payee, milestone_id, "inspection_report.pdf", report, "Our inspection", case_id)
    mail = email_text(
        sender="office@example.com",
        to="customer@example.com",
        at=taken - timedelta(days=6),
        subject="Change of schedule and material",
        body="Hello,\n\nas discussed on site we propose the change below. Please answer by Friday.\n\nThank you",
    )
    _submit(run, run.payee, milestone_id, "mail_about_change.eml", mail, "Our mail about the change", case_id)


def look_at(run: ProjectRun, mediator: Actor, evidence_id: int) -> None:
    store = run.world.desk.evidence
    run.act(evidence.open_evidence, mediator, store=store, evidence_id=evidence_id)


def _submit(
    run: ProjectRun,
    actor: Actor,
    milestone_id: int,
    name: str,
    content: bytes,
    caption: str,
    case: int | None = None,
) -> None:
    run.act(
        evidence.submit,
        actor,
        store=run.world.desk.evidence,
        milestone_id=milestone_id,
        file_name=name,
        content=content,
        caption=caption,
        case_id=case,
    )


def _lines(run: ProjectRun, milestone_id: int) -> list[tuple[str, Money]]:
    milestone = run.read(select(Milestone).where(Milestone.id == milestone_id))
    total = Money(milestone.amount_minor, milestone.currency)
    material, labour = total.spread((4, 6), step=10 if total.currency == "KWD" else 1)
    return [(f"{milestone.title}: material", material), (f"{milestone.title}: labour", labour)]


def _name(run: ProjectRun, party_id: int) -> str:
    return str(run.read(select(Party.name).where(Party.id == party_id)))


def _title(run: ProjectRun) -> str:
    return str(run.read(select(Project.title).where(Project.id == run.project_id)))
