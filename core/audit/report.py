"""What a verification found, in words that name the place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROWS = ("entry", "journal")
WORDS: Mapping[str, str] = {
    "altered": "{Kind} {id} was altered after it was sealed in seal {seal}.",
    "removed": "{Kind} {id} was removed after it was sealed in seal {seal}.",
    "inserted": "{Kind} {id} was put into seal {seal} after that was closed.",
    "moved": "{Kind} {id} was altered: it left the range of transactions of seal {seal}, where it was sealed.",
    "never": "{Kind} {id} names a transaction that never took place.",
    "mismatch": "The rows of seal {seal} are not the ones that were sealed, nor is its own list of them.",
    "rewritten": "Seal {seal} in the database is not the one that was signed.",
    "seal_removed": "Seal {seal} was signed, and is gone from the database.",
    "broken": "Seal {seal} does not follow from the seal before it.",
    "forged": "Line {id} of the checkpoint file {why}.",
    "unsigned": "Seal {seal} has no checkpoint, and seals after it have.",
    "no_checkpoints": "There are seals, and no checkpoints for them in {why}.",
    "no_key": "There is no public key in {why}, so no checkpoint could be believed.",
    "epochs": "The list of epochs was altered: it does not agree with the seals of epoch {id}.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was written. `kind`: entry, journal, seal, checkpoint, key or epoch."""

    kind: str
    wrong: str
    id: int | None = None
    seal: int | None = None
    why: str = ""

    @property
    def text(self) -> str:
        kind = "Audit entry" if self.kind == "entry" else self.kind.capitalize()
        return WORDS[self.wrong].format(Kind=kind, id=self.id, seal=self.seal, why=self.why)


@dataclass(frozen=True)
class Report:
    """The outcome. `open_rows` are not sealed yet (the last second), `unsigned` seals not signed yet."""

    rows: int
    seals: int
    signed: int
    unsigned: int
    open_rows: int
    findings: tuple[Finding, ...] = ()
    more: int = field(default=0)
    """Findings beyond those listed."""

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def first_bad(self) -> Finding | None:
        return self.findings[0] if self.findings else None

    @property
    def first_bad_row(self) -> Finding | None:
        """The first entry or journal that is not as it was written."""
        return next((finding for finding in self.findings if finding.kind in ROWS), None)

    @property
    def text(self) -> str:
        if self.first_bad:
            first = [self.first_bad] + [self.first_bad_row] * (
                self.first_bad_row not in (None, self.first_bad)
            )
            rest = len(self.findings) + self.more - len(first)
            listed = [finding.text for finding in first if finding]
            return " ".join(listed + [f"{rest:,} more findings follow."] * (rest > 0))
        parts = [f"All {self.rows:,} rows under {self.seals:,} seals are as they were written."]
        if self.unsigned:
            parts.append(f"{counted(self.unsigned, 'seal')} not signed yet.")
        if self.open_rows:
            parts.append(f"{counted(self.open_rows, 'row')} not sealed yet.")
        return " ".join(parts)

    def facts(self) -> dict[str, Any]:
        """For `--json`."""
        listed = [vars(finding) | {"text": finding.text} for finding in self.findings]
        numbers = {name: getattr(self, name) for name in ("rows", "seals", "signed", "unsigned", "open_rows")}
        return {"ok": self.ok, "text": self.text, **numbers, "findings": listed, "more": self.more}


def counted(n: int, noun: str) -> str:
    return f"1 {noun} is" if n == 1 else f"{n:,} {noun}s are"
