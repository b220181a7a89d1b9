"""The case file: one zip with everything that a decision stands on, made beside the page and verified by anybody."""

from __future__ import annotations

import streamlit as st

from core import audit, case_file
from core.case_file import CaseFile
from core.errors import DeskError
from core.queries.cases import CaseView
from core.rules.evidence import in_words
from core.rules.permissions import Permission
from dashboard import background_job, request_context
from dashboard.background_job import Progress, Work
from dashboard.case import redaction
from dashboard.ui import cards, confirm, download, errors

DRAWER = "case-file"


def button(case: CaseView) -> None:
    blind = not redaction.shown(case)
    st.button(
        "Case file",
        key="case-file",
        icon=":material/folder_zip:",
        on_click=_open,
        args=(case.id,),
        disabled=blind,
        help="It contains names: save a first judgement before you download it." if blind else None,
    )


def drawer(case: CaseView) -> None:
    if confirm.drawer(DRAWER) is not None:
        _dialog(case)


@st.dialog("Case file", position="right", on_dismiss=confirm.close_drawer)
def _dialog(case: CaseView) -> None:
    running: Work[CaseFile] | None = background_job.of(_name(case.id))
    if running is None:
        _explain(case)
    elif running.running:
        _wait(running)
    else:
        _offer(case, running)


def _explain(case: CaseView) -> None:
    st.markdown(f"Everything about {case.reference}, in one zip, as it is now:")
    cards.note(
        "The case, messages, evidence, policy, payment events, journals and the audit entries of the milestone"
        + (
            "; the decision, its plan and both e-mails; a summary to print."
            if case.decision
            else "; a summary to print."
        )
    )
    cards.note(
        "It holds personal data, so the log records who took it. "
        "The desk signs it; “escrow-desk case verify” proves it elsewhere: signature, hashes and amounts."
    )
    st.button(
        "Generate case file",
        key="case-file-make",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_begin,
        args=(case.id,),
    )


def _begin(case_id: int) -> None:
    desk, actor, now = request_context.desk(), request_context.actor(), request_context.now()

    def export(progress: Progress) -> CaseFile:
        signer = audit.desk_signer(desk.database, desk.settings.home, now=desk.clock())
        return desk.database.run(
            lambda session: case_file.export(
                session, actor, now=now, store=desk.evidence, signer=signer, case_id=case_id
            )
        )

    background_job.begin(_name(case_id), export)


def _wait(running: Work[CaseFile]) -> None:
    @st.fragment(run_every=background_job.POLL)
    def packed() -> None:
        if not running.running:
            st.rerun()
        st.progress(0.5, text="Evidence is opened, checked against its hash, and packed …")

    packed()


def _offer(case: CaseView, ended: Work[CaseFile]) -> None:
    if isinstance(ended.error, DeskError):
        errors.show(ended.error)
    elif ended.error:
        background_job.forget(_name(case.id))
        raise ended.error
    if (done := ended.result) is None:
        return
    cards.facts({"Files": done.files, "Size": in_words(len(done.content))}, columns=2)
    st.caption("SHA-256 of the zip, as the log has it")
    st.code(done.sha256, language=None, wrap_lines=True)
    download.button(
        f"Download {done.name}",
        key=f"case-file-{case.id}",
        permission=Permission.EXPORT_CASE,
        name=done.name,
        media_type="application/zip",
        content=lambda actor, now: done.content,
        look="primary",
    )


def _open(case_id: int) -> None:
    """Always made again: the case may have gone on since."""
    known: Work[CaseFile] | None = background_job.of(_name(case_id))
    if known and not known.running:
        background_job.forget(_name(case_id))
    confirm.open_drawer(DRAWER)


def _name(case_id: int) -> str:
    return f"case-file:{case_id}"
