"""One project: its parties and engagement, its milestones and their money, its cases."""

from __future__ import annotations

from core.errors import NotFound
from core.money import Money
from core.queries import case_summaries, projects
from core.queries import letters as queries
from core.rules.permissions import Permission
from core.rules.readings import ReadingKind
from core.rules.references import reference
from dashboard import letters, navigation, readings, request_context
from dashboard.project import documents, milestones, parties
from dashboard.ui import cards, empty, header, status, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.status import in_words

request_context.require(Permission.READ_CASES)

number = navigation.asked("id")
try:
    with request_context.reading() as session:
        whole = projects.project(session, number or 0)
        disputes = case_summaries.of_project(session, whole.project.id)
except NotFound:
    header.page("Project", back=("projects", "Projects"))
    called = None if number is None else reference("project", number)
    empty.unknown("project", called, "Look it up under Projects by its title, a party or the bid.")
    navigation.end()


def _and(more: Money, where: str, still: str) -> str:
    return f"{where}; {more} still {still}" if more.minor else where


project = whole.project
readings.note(ReadingKind.PROJECT, project.id)
header.page(
    f"P-{project.id} · {project.title}",
    f"{whole.payer.name} and {whole.payee.name} · {in_words(project.platform)} · {project.bid_reference}",
    badges=[status.pill("project", project.status)],
    back=("projects", "Projects"),
)
settled = sum(part.ended_at is not None for part in whole.parts)
cards.kpis(
    [
        Kpi("Accepted total", whole.total("amount"), f"{settled} of {len(whole.parts)} milestones settled"),
        Kpi("Total charged", whole.total("charge"), "with both fees, when all is paid"),
        Kpi("Held now", whole.total("held"), "until the work is verified"),
        Kpi("Released", whole.total("released"), _and(whole.total("payable"), "with the payee", "payable")),
        Kpi(
            "Refunded",
            whole.total("refunded"),
            _and(whole.total("refundable"), "back with the payer", "owed"),
        ),
    ]
)

header.section("Milestones and payment schedule", "each is paid, held and released in turn")
milestones.show(whole)
if disputes:
    header.section("Cases", f"{len(disputes)} total")
    tables.table(
        disputes,
        [
            tables.opens("id", "Case", page="case", value=lambda row: row.reference, width=78),
            tables.text("milestone", "Milestone"),
            tables.text("reason", "Reason"),
            tables.money("amount", "Amount"),
            tables.status("status", "Status", axis="case"),
            tables.when("opened_at", "Opened"),
        ],
        key="project-cases",
        download=tables.Table(
            "cases",
            lambda session: disputes,
            permission=Permission.EXPORT_CASE,
            filter={"project": f"P-{project.id}"},
        ),
        name="Cases of this project",
    )
parties.show(whole)
documents.show(project.id)
header.section("E-mails", "what was sent to whom, and its status")
with request_context.reading() as session:
    told = queries.about(session, "project", project.id)
letters.show(
    told,
    key="project",
    download=tables.Table(
        "letters",
        lambda session: queries.about(session, "project", project.id, limit=None),
        permission=Permission.EXPORT_CASE,
        filter={"project": f"P-{project.id}"},
    ),
)
