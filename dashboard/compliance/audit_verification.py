"""Verify: the whole log and ledger against their seals and signed checkpoints, while the page stays usable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from core import audit
from core.audit import Finding, VerificationReport, outside_places
from core.audit.verification_report import Verdict
from core.errors import DeskError
from core.queries.audit import SealState
from core.rules.permissions import Permission, require
from dashboard import background_job, navigation, request_context
from dashboard.background_job import Progress, Work
from dashboard.compliance import outside_alarm
from dashboard.ui import cards, deadlines, errors, tables
from dashboard.ui.cards import Kpi
from dashboard.ui.safe import plain
from dashboard.ui.status import Tone

WORK, LAST, HIDDEN = "audit:verify", "audit:verified", "audit:verified:hidden"
FAILED = "audit:verify:failed"
STALE_AFTER = timedelta(days=1)
VERDICTS: Mapping[Verdict, tuple[str, Tone]] = {
    "intact": ("Intact", "good"),
    "altered": ("Altered", "bad"),
    "unproved": ("Not proved", "bad"),
    "unsealed": ("Nothing sealed", "wait"),
    "unsigned": ("Not signed", "wait"),
    "unknown_key": ("Key not known", "wait"),
}
ICONS: Mapping[Tone, str] = {
    "good": ":green[:material/verified:]",
    "wait": ":orange[:material/gpp_maybe:]",
    "bad": ":red[:material/gpp_bad:]",
}
LISTED = 20


@dataclass(frozen=True)
class Verified:
    """The last verification of this session."""

    report: VerificationReport
    at: datetime
    seconds: float


def button() -> None:
    """Begins a verification; while one runs, a second press does nothing."""
    running: Work[VerificationReport] | None = background_job.of(WORK)
    st.button(
        "Verify",
        key="verify",
        icon=":material/verified:",
        type="primary",
        on_click=_begin,
        disabled=bool(running and running.running),
        help="Recompute every hash from the rows and compare it with what was signed.",
    )


def figure(now: datetime) -> Kpi:
    """The card that remembers the last verification."""
    running: Work[VerificationReport] | None = background_job.of(WORK)
    last = _last()
    if running and running.running:
        return Kpi("Verification", "Running", "every hash is computed again", "info")
    if FAILED in st.session_state:
        ended = deadlines.ago(st.session_state[FAILED], now)
        return Kpi("Verification", "Failed", f"{ended}, nothing was proved", "bad")
    if last is None:
        return Kpi(
            "Verification",
            "—",
            "not run in this tab yet",
            help="Verify checks the whole log against its seals.",
        )
    word, tone = VERDICTS[last.report.verdict]
    note = f"{deadlines.ago(last.at, now)}, {last.report.rows:,} rows"
    if last.report.older:
        note += f"; {last.report.older:,} older texts have no hash"
    if tone == "good" and now - last.at > STALE_AFTER:
        return Kpi("Verification", word, f"{note}; not verified since", "wait")
    return Kpi("Verification", word, note, tone)


def trouble() -> None:
    """Why nothing can be signed, on top of the page, until a person has seen to it."""
    with request_context.reading() as session:
        found = audit.key_trouble(session, request_context.desk().settings.home)
    if found:
        st.error(f"**Nothing is signed.** {plain(found)}", icon=":material/key_off:")
    outside_alarm.show()


def key() -> None:
    """The keys that sign, the present one first: which, since when, and who vouches for it."""
    with request_context.reading() as session:
        known = audit.pins(session)
    for pin in reversed(known):
        since = f"Key {pin.fingerprint}, pinned {deadlines.exact(pin.pinned_at)}"
        if pin.n == 1:
            cards.note(f"{since}, signs from the first seal on.")
        else:
            handed = (
                "signed by the key before it"
                if pin.by_previous
                else "not signed by the key before it, which was lost"
            )
            cards.note(f"{since}, {handed}, signs from the seal after #{pin.after_seal:,} on.")
    if not known:
        cards.note("No signing key is pinned yet: the first seal pins one.")


def seals(state: SealState, now: datetime) -> list[Kpi]:
    """How far the log is sealed."""
    last = f"#{state.last:,}" if state.last else "None"
    when = f"{deadlines.ago(state.sealed_at, now)}" if state.sealed_at else "nothing is sealed yet"
    late = state.since is not None and now - state.since > timedelta(minutes=1)
    return [
        Kpi("Last seal", last, when),
        Kpi(
            "Not sealed yet",
            state.open,
            "the worker does not seal"
            if late
            else "written in the last minute"
            if state.open
            else "every entry is under a seal"
            if state.last
            else "nothing is recorded yet",
            "wait" if late else None,
            help="The next seal covers these. Until then nothing proves them.",
        ),
    ]


def panel(now: datetime) -> None:
    """The progress while it runs; then what it found, until it is hidden."""
    running: Work[VerificationReport] | None = background_job.of(WORK)
    if running and running.running:
        with cards.panel("verifying"):
            background_job.watch(running, _words)
        return
    if running:
        _finish(running, now)
    last = _last()
    if last and not st.session_state.get(HIDDEN):
        with cards.panel("verified"):
            _result(last)


def _begin() -> None:
    require(request_context.actor(), Permission.VERIFY_AUDIT)
    desk = request_context.desk()
    st.session_state.pop(HIDDEN, None)
    st.session_state.pop(FAILED, None)
    own = audit.private_half(desk.settings.home)
    trust = audit.Trust(own, "own") if own else audit.Trust()

    def verify(progress: Progress) -> VerificationReport:
        return audit.verify(
            desk.auditor,
            desk.settings.home / "checkpoints",
            trust=trust,
            progress=progress,
            outside=outside_places.readable(desk.settings),
            authority=outside_places.authority(desk.settings),
        )

    background_job.begin(WORK, verify)


def _words(running: Work[VerificationReport]) -> str:
    if not running.total:
        return "Reading seals and checkpoints …"
    return f"{running.done:,} of {running.total:,} rows verified"


def _finish(ended: Work[VerificationReport], now: datetime) -> None:
    background_job.forget(WORK)
    if ended.error:
        st.session_state[FAILED] = now
    if isinstance(ended.error, DeskError):
        errors.show(ended.error)
    elif ended.error:
        raise ended.error
    elif ended.result:
        st.session_state[LAST] = Verified(ended.result, now, ended.seconds)


def _last() -> Verified | None:
    found: Verified | None = st.session_state.get(LAST)
    return found


def _result(last: Verified) -> None:
    report = last.report
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        icon = ICONS[VERDICTS[report.verdict][1]]
        st.markdown(
            f"{icon} **{plain(f'As of {deadlines.exact(last.at)}: {_sentence(report)}')}**", width="stretch"
        )
        st.button("Hide", key="hide-verified", type="tertiary", on_click=_hide)
    cards.facts(
        {
            "Rows under seal": f"{report.rows:,}",
            "Seals": f"{report.seals:,}",
            "Signed checkpoints": f"{report.signed:,} of {report.seals:,}",
            "Rows still open": f"{report.open_rows:,}, not sealed yet" if report.open_rows else "Nothing",
            "Signing key": report.pinned.fingerprint if report.pinned else "None is pinned",
            "At": deadlines.exact(last.at),
            "Took": f"{last.seconds:.1f} s",
        },
        columns=6,
    )
    if not report.ok:
        _findings(report)


def _sentence(report: VerificationReport) -> str:
    if first := report.first_altered:
        return f"The record was altered. First: {first.text}"
    if first := report.first_bad:
        return f"The record is not proved. First: {first.text}"
    return report.text


def _findings(report: VerificationReport) -> None:
    shown = report.findings[:LISTED]
    rows = [{"n": number, "text": each.text} for number, each in enumerate(shown, start=1)]
    tables.small(rows, [tables.count("n", "#"), tables.text("text", "Finding")], name="What was found")
    if rest := len(report.findings) + report.more - len(shown):
        cards.note(f"Not listed here: {rest:,} more. The command escrow-desk audit verify --json lists them.")
    if row := report.first_bad_row:
        _open(row)


def _open(row: Finding) -> None:
    """The first bad row, if it is still there."""
    if row.wrong == "removed" or row.id is None or row.kind not in ("entry", "journal"):
        return
    page = row.kind
    if page in navigation.on_disk():
        noun = "audit entry" if row.kind == "entry" else "journal"
        navigation.link(page, f"Open {noun} {row.id}", icon=":material/arrow_forward:", id=row.id)


def _hide() -> None:
    st.session_state[HIDDEN] = True
