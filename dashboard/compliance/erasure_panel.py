"""Erasing a person on screen: what is held, what is in the way, what waits for a second person, and the receipt."""

from __future__ import annotations

import streamlit as st

from core import audit
from core.actions.privacy import erasures
from core.processes import erased_files
from core.queries import erasure_blocks, personal_data
from core.queries.personal_data import ErasureRow, PersonRow
from core.rules.permissions import Actor, Permission
from core.rules.proposals import ProposalStatus
from dashboard import request_context
from dashboard.ui import cards, confirm, deadlines, download, header, reasons, second_person, text_fields
from dashboard.ui.safe import html, plain
from dashboard.ui.second_person import Answer

FOR_GOOD = (
    "Two people erase a person, for good: their name and address, what they wrote and their files are overwritten or "
    "made unreadable, and pages say “erased” there. What was agreed and decided, the books, the bank's statements and "
    "what staff gave as a reason stay. The record stays provable."
)


LOST = (
    "With your approval the key of their files and the salts of their hashes are destroyed, and their name, address "
    "and words are overwritten. Nobody can bring them back: no administrator, and no backup from then on."
)


def show(row: PersonRow) -> None:
    """All of it, beside the person."""
    header.section("Erasure")
    with request_context.reading() as session:
        known = personal_data.erasures(session, row.id)
    for each in known:
        if each.status == ProposalStatus.PROPOSED:
            _waiting(row, each)
        elif each.erased_at is not None:
            _done(row, each)
        else:
            cards.note(
                f"{each.maker} proposed it on {deadlines.exact(each.proposed_at)}: {each.status.lower()}"
                f" {deadlines.exact(each.settled_at) if each.settled_at else ''}. {each.note or ''}"
            )
    if row.erased_at is None:
        _way(row, waits=any(each.status == ProposalStatus.PROPOSED for each in known))


def drawers() -> bool:
    """Whether one is open."""
    if facts := confirm.drawer("propose-erasure"):
        _propose(**facts)
        return True
    return False


def _way(row: PersonRow, *, waits: bool) -> None:
    cards.note(FOR_GOOD)
    with request_context.reading() as session:
        blocks = erasure_blocks.blocks(session, row.id)
    for block in blocks:
        st.html(f'<p class="ed-quote">{html(block.sentence)}</p>')
    if blocks:
        cards.note("While that is so, this person cannot be erased.")
    elif not waits and request_context.may(Permission.PROPOSE_ERASURE):
        st.button(
            "Erase this person",
            key="open-propose-erasure",
            icon=":material/person_remove:",
            on_click=confirm.open_drawer,
            args=("propose-erasure",),
            kwargs={"party_id": row.id, "external_id": row.external_id},
        )


@st.dialog("Erase this person", position="right", on_dismiss=confirm.close_drawer)
def _propose(party_id: int, external_id: str) -> None:
    cards.note(FOR_GOOD)
    with request_context.reading() as session:
        held = personal_data.held(session, party_id)
    cards.note("What is held, and is overwritten; names in documents when the law keeps them no longer:")
    cards.facts({kind.capitalize(): count for kind, count in held.items()}, columns=2)
    place = text_fields.named("person", party_id, "erasure")
    reason = reasons.area(place, "Why", key="erasure-reason", placeholder="Who asked for it, and when")
    intent = confirm.pressed("Submit for approval", key="propose-erasure", money=True)
    if intent:
        confirm.carry_out(
            intent,
            lambda session, actor, now: erasures.propose(
                session, actor, now=now, party_id=party_id, reason=reason
            ),
            done=f"Submitted. {external_id} is erased when someone else approves.",
            sent=[place],
        )


def _waiting(row: PersonRow, each: ErasureRow) -> None:
    with cards.panel(f"erasure-{each.id}"):
        st.markdown(f"**{plain(each.maker)} proposes to erase {plain(row.external_id)}**")
        cards.note(deadlines.exact(each.proposed_at))
        st.html(f'<p class="ed-quote">{html(each.reason)}</p>')
        yes = None
        if second_person.may_confirm(
            Permission.CONFIRM_ERASURE, lambda session: erasures.waiting_of(session, each.id)
        ):
            st.warning(LOST, icon=":material/delete_forever:")
            typed = confirm.typed(row.external_id, "erase them", key=f"type-erasure-{each.id}")
            yes = Answer(
                "Approve and erase",
                lambda session, actor, now, reason: erasures.approve(
                    session, actor, now=now, erasure_id=each.id, typed=typed, reason=reason
                ),
                done=lambda _: _erased(row, each),
                icon=":material/person_remove:",
            )
        second_person.answers(
            text_fields.named("person", row.id, "erasure-answer"),
            f"erasure-{each.id}",
            own=each.maker_id == request_context.actor().id,
            yes=yes,
            no=Answer(
                "Reject",
                lambda session, actor, now, reason: erasures.reject(
                    session, actor, now=now, erasure_id=each.id, reason=reason
                ),
                done="Nothing was erased.",
            ),
        )


def _erased(row: PersonRow, each: ErasureRow) -> str:
    """The key of their files is destroyed at once; where that fails, the worker does it within a minute."""
    erased_files.destroy(request_context.desk(), each.id)
    return f"{row.external_id} is erased."


def _done(row: PersonRow, each: ErasureRow) -> None:
    assert each.erased_at is not None
    with cards.panel(f"erasure-{each.id}"):
        st.markdown(f"**Erased on {deadlines.exact(each.erased_at)}**")
        cards.facts(
            {
                "Proposed by": each.maker,
                "Approved by": each.checker,
                "Rows overwritten": sum((each.counts or {}).values()),
                "Versions whose salt is destroyed": each.versions,
                "Files unreadable since": each.files_gone_at or "Not yet: the worker destroys their key",
                "Name in documents until": each.documents_until or "Gone",
            },
            columns=2,
        )
        _receipt(row.id, each.id)


def _receipt(party_id: int, erasure_id: int) -> None:
    desk = request_context.desk()

    def content(actor: Actor, now: object) -> bytes:
        signer = audit.desk_signer(desk.database, desk.settings.home, now=desk.clock())
        return desk.database.run(
            lambda session: erasures.receipt(
                session, actor, now=desk.clock(), party_id=party_id, signer=signer
            )[1]
        )

    download.button(
        "Receipt of the erasure",
        key=f"erasure-receipt-{erasure_id}",
        permission=Permission.READ_PERSONAL_DATA,
        name=f"erasure-{erasure_id}.receipt.json",
        media_type="application/json",
        content=content,
        help="Signed; anybody verifies it with “escrow-desk person verify-receipt FILE --key FINGERPRINT”.",
    )
