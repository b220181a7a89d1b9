"""The sealed rows, read again: the roots that they have now, and which of them changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.canonical import KINDS, SealedKind
from core.audit.seals import LAST_XID, Seal
from core.audit.verification_report import Finding
from core.policy.limits import CLOCKS_APART, SEALED_WITHIN

NO_END = 2**63 - 1
Bounds = Mapping[str, tuple[int, int]]
"""For each kind the ids of an epoch: above the first number, up to the second."""


def _of_seal(kind: SealedKind) -> str:
    """The rows `r` of a kind that belong to a seal `s`."""
    # The sum keeps the planner off the index on id, which would read the whole epoch for each seal.
    span = f"r.id + 0 > s.{kind.name}_above and r.id + 0 <= s.{kind.name}_up_to"
    return f"from {kind.table} r where r.xid >= s.lo and r.xid < s.hi and {span}"


def _hashed(kind: SealedKind) -> str:
    return (
        f"cross join lateral (select count(*) as n, coalesce(string_agg({kind.leaf}, '' order by r.xid, r.id), '')"
        f" as leaves {_of_seal(kind)}) as {kind.name}"
    )


_COLUMNS = ("n", "lo", "hi", *(f"{kind}_{end}" for kind in KINDS for end in ("above", "up_to")))
_TYPES = {"lo": "xid8[]", "hi": "xid8[]"}
_ARRAYS = ", ".join(f"cast(:{name} as {_TYPES.get(name, 'bigint[]')})" for name in _COLUMNS)
_SEALS = f"unnest({_ARRAYS}) as s({', '.join(_COLUMNS)})"
ROOTS = text(
    f"select s.n, {', '.join(f'{kind}.n' for kind in KINDS)}, sha256({' || '.join(f'{kind}.leaves' for kind in KINDS)})"
    f" from {_SEALS} {' '.join(map(_hashed, KINDS.values()))}"
)
LEAVES = {
    name: text(
        f"select found.* from {_SEALS} cross join lateral"
        f" (select r.id, substring({kind.leaf} for 8) {_of_seal(kind)} order by r.xid, r.id) as found"
    )
    for name, kind in KINDS.items()
}
EXISTING = {name: text(f"select id from {kind.table} where id = any(:ids)") for name, kind in KINDS.items()}
NEVER = {
    name: text(
        f"select id from {kind.table} where (xid >= pg_snapshot_xmax(pg_current_snapshot()) and id > :above)"
        f" or xid = '{LAST_XID}' order by id limit 20"
    )
    for name, kind in KINDS.items()
}
OPEN = {
    name: text(f"select count(*) from {kind.table} where xid >= cast(:hi as xid8) and id > :above")
    for name, kind in KINDS.items()
}


OUT_OF_TIME = {
    name: text(
        f"select id, recorded_at, recorded_at > now() as ahead from {kind.table}"
        " where xid >= cast(:hi as xid8) and id > :above"
        " and recorded_at not between now() - cast(:within as interval) and now() + cast(:apart as interval)"
        " order by id limit 20"
    )
    for name, kind in KINDS.items()
}


@dataclass(frozen=True)
class Span:
    """A seal, and the ids that its epoch spans."""

    seal: Seal
    bounds: Bounds


def changed(session: Session, spans: Sequence[Span]) -> Iterator[Finding]:
    """What is wrong with the rows of these seals, in their order."""
    found = {row[0]: row[1:] for row in session.execute(ROOTS, _arguments(spans))}
    for span in spans:
        *counts, root = found[span.seal.n]
        if [*span.seal.counted().values()] != counts or root != span.seal.root:
            yield from list(_differences(session, span)) or [Finding("seal", "mismatch", seal=span.seal.n)]


def outside(session: Session, above: Mapping[str, int]) -> Iterator[Finding]:
    """Rows of transactions that the cluster has not given out yet."""
    for kind, query in NEVER.items():
        yield from (Finding(kind, "never", id=row) for row in session.scalars(query, {"above": above[kind]}))


def out_of_time(session: Session, hi: int, above: Mapping[str, int]) -> Iterator[Finding]:
    """Rows behind the last seal that cannot be of the last moments, by the clock of the database's server.

    Either nobody seals, or they were slipped in behind the seals with a time of long ago.
    """
    for kind, query in OUT_OF_TIME.items():
        values = {"hi": _begin(hi), "above": above[kind], "within": SEALED_WITHIN, "apart": CLOCKS_APART}
        for row in session.execute(query, values):
            when = f"{row.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
            yield Finding(kind, "future" if row.ahead else "overdue", id=row.id, why=when)


def _begin(hi: int) -> str:
    """After a closed epoch counting begins at zero again."""
    return str(0 if hi == LAST_XID else hi)


def still_open(session: Session, hi: int, above: Mapping[str, int]) -> int:
    """How many rows no seal covers yet."""
    return sum(
        session.execute(OPEN[kind], {"hi": _begin(hi), "above": above[kind]}).scalar_one() for kind in KINDS
    )


def _differences(session: Session, span: Span) -> Iterator[Finding]:
    for kind in KINDS:
        sealed = dict(span.seal.known(kind))
        present = {row[0]: row[1] for row in session.execute(LEAVES[kind], _arguments([span]))}
        missing = [row for row in sealed if row not in present]
        elsewhere = set(session.scalars(EXISTING[kind], {"ids": missing}))
        for row, leaf in sealed.items():
            if row not in present:
                yield Finding(kind, "moved" if row in elsewhere else "removed", id=row, seal=span.seal.n)
            elif leaf != present[row]:
                yield Finding(kind, "altered", id=row, seal=span.seal.n)
        yield from (
            Finding(kind, "inserted", id=row, seal=span.seal.n) for row in present if row not in sealed
        )


def _arguments(spans: Sequence[Span]) -> dict[str, list[int] | list[str]]:
    arguments: dict[str, list[int] | list[str]] = {
        "n": [span.seal.n for span in spans],
        "lo": [str(span.seal.lo) for span in spans],
        "hi": [str(span.seal.hi) for span in spans],
    }
    for kind in KINDS:
        arguments[f"{kind}_above"] = [span.bounds[kind][0] for span in spans]
        arguments[f"{kind}_up_to"] = [span.bounds[kind][1] for span in spans]
    return arguments
