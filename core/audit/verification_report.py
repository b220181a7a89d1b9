"""What a verification found, in words that name the place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from core.audit.key_trust import Trust
    from core.audit.pinned_keys import Pin
    from core.audit.row_comparison import TakenIn
    from core.audit.timestamps import Timestamped

SAID = 5  # findings of a report in words
ROWS = ("entry", "journal", "change", "row")
# Findings that say what is missing for a proof, and not that anything was altered.
UNPROVED = frozenset(
    (
        "unsigned no_checkpoints not_pinned other_key not_handed_over beside overdue not_signed elsewhere"
        " outside_unread timestamp"
    ).split()
)
KIND_WORDS = {"entry": "Audit entry", "change": "Row change"}
Verdict = Literal["intact", "altered", "unproved", "unsealed", "unsigned", "unknown_key"]
NUMBERS = "rows seals signed unsigned open_rows older erased files files_read files_erased".split()
WORDS: Mapping[str, str] = {
    "altered": "{Kind} {id} was altered after it was sealed in seal {seal}.",
    "removed": "{Kind} {id} was removed after it was sealed in seal {seal}.",
    "inserted": "{Kind} {id} was put into seal {seal} after that was closed.",
    "moved": "{Kind} {id} was altered: it left the range of transactions of seal {seal}, where it was sealed.",
    "never": "{Kind} {id} names a transaction that never took place.",
    "mismatch": "The rows of seal {seal} are not the ones that were sealed, nor is its own list of them.",
    "rewritten": "Seal {seal} in the database is not the one that was signed.",
    "seal_removed": "Seal {seal} was signed, and is gone from the database.",
    "tree": "The Merkle tree that was signed with seal {seal} is not the tree of the rows up to there.",
    "broken": "Seal {seal} does not follow from the seal before it.",
    "forged": "Line {id} of the checkpoint file {why}.",
    "unsigned": "Seal {seal} has no checkpoint, and seals after it have.",
    "no_checkpoints": "There are seals, and no checkpoints for them in {why}.",
    "not_pinned": "No signing key is pinned in this database, so no signature can be believed (known key: {why}).",
    "pin_forged": "Pinned key {id} ({why}) is not signed by itself: the list of signing keys was altered.",
    "other_key": "This database is signed by the key {why}. Everything may have been written and signed again.",
    "not_handed_over": "The signing key {why}, and is not signed by it. Ask the desk's people why before you trust it.",
    "vouch": "Signing key {id} ({why}) was pinned after another seal {seal} than the one that is here.",
    "beside": "The public key beside the checkpoints is {why}.",
    "future": "{Kind} {id} says that it was written at {why}, which is yet to come.",
    "overdue": "{Kind} {id} was written at {why}, and no seal covers it.",
    "not_signed": "Seal {seal} was made at {why}, and neither it nor any after it is signed.",
    "outside_other": "The checkpoint of seal {seal} in {why} is another than the one here: one of them was altered.",
    "outside_more": (
        "Seal {seal} was signed: its checkpoint is in {why}, and not here. This home was rolled back or cut short."
    ),
    "outside_gap": "The checkpoint of seal {seal} is here, and is missing in {why} between others.",
    "outside_unreadable": "What {why} has in place of the checkpoint of seal {seal} cannot be read: it was altered.",
    "outside_unread": "The checkpoints outside could not be held against these: {why}.",
    "timestamp": "Timestamp {id}, of seal {seal}, does not prove anything: {why}.",
    "elsewhere": (
        "This database names another cluster than the one it lies in: it was restored from a dump, or its list of"
        " epochs was altered. Not covered by any seal, and so proved by nothing: {why}."
    ),
    "other_words": "{why} is not what audit entry {id} recorded: it was altered.",
    "words_gone": "{why} was recorded by audit entry {id}, and is gone.",
    "words_unknown": "{why} has no audit entry: it was put in past the desk.",
    "words_underived": "{why} does not follow from audit entry {id} and the policy: it was altered.",
    "words_unplanned": "{why} is not what the plan says whose hash was recorded: it was altered.",
    "row_altered": "{why} is not what was logged of it as change {id}: it was altered.",
    "row_gone": "{why} was logged as change {id}, and is gone.",
    "row_unknown": "{why} is in its table, and was never logged there: it was put in past the desk.",
    "row_back": "{why} was logged as removed by change {id}, and is there again: it was put in past the desk.",
    "row_gap": "{why} was altered past the log before change {id}.",
    "row_unrecorded": (
        "{why} (change {id}), and that transaction left no audit entry and no journal: it was done past the desk."
    ),
    "salt_gone": "The salt of change {id} ({why}) was destroyed, and no erasure tells of it: what it says is unproved.",
    "unwatched": "Changes of {why} are not logged: its trigger was removed or switched off.",
    "file": "The bytes of evidence {id} are not what was submitted, or not there. {why}",
    "epochs": "The list of epochs was altered: it does not agree with the seals of epoch {id}.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was written. `kind`: entry, journal, change, seal, checkpoint, key, epoch, words, row
    or file."""

    kind: str
    wrong: str
    id: int | None = None
    seal: int | None = None
    why: str = ""
    table: str = field(default="", compare=False)
    """Of a row."""

    @property
    def text(self) -> str:
        kind = KIND_WORDS.get(self.kind, self.kind.capitalize())
        return WORDS[self.wrong].format(Kind=kind, id=self.id, seal=self.seal, why=self.why)


@dataclass(frozen=True)
class VerificationReport:
    """The outcome. `open_rows` are not sealed yet (the last second), `unsigned` seals not signed yet."""

    rows: int
    seals: int
    signed: int
    unsigned: int
    open_rows: int
    findings: tuple[Finding, ...] = ()
    more: int = field(default=0)
    """Findings beyond those listed."""
    older: int = 0
    """Rows of words that were recorded before entries kept hashes."""
    erased: int = 0
    """Versions of rows whose salt was destroyed when a person was erased."""
    taken_in: tuple[TakenIn, ...] = ()
    """Rows of before their tables were under seal."""
    files: int = 0
    """Pieces of evidence on record."""
    files_read: int | None = None
    """How many of them were read and have the bytes on record; None when no file was read."""
    files_erased: int = 0
    outside: tuple[str, ...] = ()
    """The places outside whose checkpoints were read back."""
    stamped: Timestamped | None = None
    """What timestamps prove; None where no authority is known here."""
    pinned: Pin | None = None
    trust: Trust | None = None

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def verdict(self) -> Verdict:
        """The outcome in one word, and never more than is known."""
        if self.first_altered:
            return "altered"
        if self.findings:
            return "unproved"
        if not self.seals or self.pinned is None:
            return "unsealed"
        if not self.signed:
            return "unsigned"
        return "unknown_key" if self.trust is None or self.trust.how == "first" else "intact"

    @property
    def first_altered(self) -> Finding | None:
        return next((finding for finding in self.findings if finding.wrong not in UNPROVED), None)

    @property
    def first_bad(self) -> Finding | None:
        return self.findings[0] if self.findings else None

    @property
    def first_bad_row(self) -> Finding | None:
        """The first entry or journal that is not as it was written."""
        return next((finding for finding in self.findings if finding.kind in ROWS), None)

    @property
    def text(self) -> str:
        if self.findings:
            return self._found()
        parts = [self._written()]
        if self.unsigned and self.signed:
            them = "it" if self.unsigned == 1 else "them"
            parts.append(
                f"{counted(self.unsigned, 'seal')} not signed yet: only the database itself vouches for {them}."
            )
        if self.open_rows:
            parts.append(f"{counted(self.open_rows, 'row')} not sealed yet, and proved by nothing so far.")
        if self.files:
            parts.append(self._files())
        if self.older:
            parts.append(
                f"{self.older:,} messages, files, letters and other words were recorded before entries kept hashes:"
                " nothing proves those."
            )
        if self.erased:
            parts.append(self._erased())
        if self.taken_in:
            parts.append(self._taken_in())
        if self.outside:
            parts.append(f"The checkpoints in {' and '.join(self.outside)} are the same.")
        if self.stamped and self.stamped.at:
            parts.append(
                f"All up to seal {self.stamped.n} existed at {self.stamped.at:%Y-%m-%d %H:%M:%S} UTC, by the timestamp"
                " of an authority."
            )
        return " ".join(parts)

    def _found(self) -> str:
        """The first findings, and how to see the others."""
        first = list(self.findings[:SAID])
        if self.first_bad_row and self.first_bad_row not in first:
            first.append(self.first_bad_row)
        said = [finding.text for finding in first]
        if rest := len(self.findings) + self.more - len(first):
            are = "finding is" if rest == 1 else "findings are"
            said.append(f"{rest:,} more {are} not listed here: escrow-desk audit verify --json lists them.")
        return " ".join(said)

    def _erased(self) -> str:
        versions = "1 version of a row was" if self.erased == 1 else f"{self.erased:,} versions of rows were"
        stands = "its hash stands" if self.erased == 1 else "their hashes stand"
        return f"{versions} erased by right: {stands}, and nobody can tell of what."

    def _taken_in(self) -> str:
        rows = counted_rows(sum(each.rows for each in self.taken_in))
        when = " and ".join(f"{each.at:%Y-%m-%d %H:%M} UTC" for each in self.taken_in)
        were = "was" if rows == "1 row" else "were"
        return f"{rows} {were} taken in as found on {when}: nothing proves what stood there before."

    def _files(self) -> str:
        if self.files_read is None:
            return f"{_files(self.files)} not read."
        erased = f"; {self.files_erased:,} erased by right could not be read" if self.files_erased else ""
        have = "has" if self.files_read == 1 else "have"
        return f"{_files(self.files_read)} read and {have} the bytes on record{erased}."

    def _written(self) -> str:
        """Never without the key that says so, and what that key is to whoever asked."""
        if not self.seals or self.pinned is None:
            return "Nothing is sealed yet, so nothing is proved."
        seals = "1 seal" if self.seals == 1 else f"{self.seals:,} seals"
        rows = f"All {self.rows:,} rows under {seals} are as they were sealed"
        if not self.signed:
            return f"{rows}, by the seals in the database alone: none is signed."
        return f"{rows}, by the signatures of key {self.pinned.fingerprint}, {self.key_words}."

    @property
    def key_words(self) -> str:
        """Whether the signing key is the pinned one, and what it is to the verifier."""
        if self.pinned is None:
            return "which is not pinned in this database"
        pinned = f"pinned in this database since {self.pinned.pinned_at:%Y-%m-%d}"
        trust = self.trust
        if trust is None or trust.how == "first":
            return (
                f"{pinned} and seen here for the first time: compare it with what the desk's people tell you"
            )
        if trust.fingerprint != self.pinned.fingerprint:
            return f"{pinned} and handed on by the key {trust.fingerprint}, which {_known(trust)}"
        return f"{pinned}, which {_known(trust)}"

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        listed = [vars(finding) | {"text": finding.text} for finding in self.findings]
        numbers = {name: getattr(self, name) for name in NUMBERS}
        key = {
            "key": self.pinned.fingerprint if self.pinned else None,
            "pinned_at": self.pinned.pinned_at.isoformat() if self.pinned else None,
            "key_known": self.trust.how if self.trust else "first",
        }
        taken_in = [{"at": each.at.isoformat(), "rows": each.rows} for each in self.taken_in]
        return {
            "ok": self.ok,
            "text": self.text,
            **numbers,
            **key,
            "taken_in": taken_in,
            "outside": list(self.outside),
            "timestamps": self.stamped.count if self.stamped else None,
            "timestamped_seal": self.stamped.n if self.stamped else None,
            "timestamped_at": self.stamped.at.isoformat() if self.stamped and self.stamped.at else None,
            "findings": listed,
            "more": self.more,
        }


def _known(trust: Trust) -> str:
    return {
        "named": "is the key you named",
        "known": f"this account has known since {trust.since}",
        "own": "is the key in this desk's own home",
        "first": "is new here",
    }[trust.how]


def _files(n: int) -> str:
    return "1 evidence file was" if n == 1 else f"{n:,} evidence files were"


def counted_rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def counted(n: int, noun: str) -> str:
    return f"1 {noun} is" if n == 1 else f"{n:,} {noun}s are"
