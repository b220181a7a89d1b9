"""The sealed rows, read again: the roots that they have now, and which of them changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from itertools import groupby, islice
from operator import itemgetter

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit.canonical import KINDS, SealedKind
from core.audit.merkle import Edge, leaf_hash, leaf_hashes
from core.audit.seals import LAST_XID, Seal
from core.audit.tree_heads import TreeHead
from core.audit.verification_report import Finding
from core.policy.limits import CLOCKS_APART, SEALED_WITHIN

NO_END = 2**63 - 1
ROWS_AT_ONCE, SEALS_AT_ONCE = 40_000, 1_000
PIECE = 1_000
SENT_AT_ONCE = PIECE if psycopg.capabilities.has_stream_chunked() else 1
# An honest plan reads each seal's rows through the index on their transaction.
PLANS = "set local enable_seqscan = off; set local jit = off; set local search_path = pg_catalog, public"
EPOCHS = text(
    "select epoch, entries_after, journals_after, changes_after from public.seal_epochs order by epoch"
)
Bounds = Mapping[str, tuple[int, int]]
"""For each kind the ids of an epoch: above the first number, up to the second."""


def _of_seal(kind: SealedKind) -> str:
    """The rows `r` of a kind that belong to a seal `s`."""
    # The sum keeps the planner off the index on id, which would read the whole epoch for each seal.
    span = f"r.id + 0 > s.{kind.name}_above and r.id + 0 <= s.{kind.name}_up_to"
    return f"from {kind.table} r where r.xid >= s.lo and r.xid < s.hi and {span}"


def _each(kind: SealedKind) -> str:
    """The rows of a seal with both their hashes: the seal's own, and the Merkle tree's, whose first byte says so."""
    # `offset 0` keeps the planner from computing an expression anew in each place that names it.
    rows = f"(select r.xid, r.id, {kind.bytes} as bytes {_of_seal(kind)} offset 0) as row"
    hashes = r"sha256(bytes) as leaf, sha256('\x00'::bytea || bytes) as in_tree"
    return f"(select xid, id, {hashes} from {rows} offset 0) as each"


_COLUMNS = ("n", "lo", "hi", *(f"{kind}_{end}" for kind in KINDS for end in ("above", "up_to")))
_TYPES = {"lo": "xid8[]", "hi": "xid8[]"}


def _seals(given: str) -> str:
    """The seals `s` that are asked about; `given`: how a parameter is written."""
    arrays = (f"cast({given.format(name)} as {_TYPES.get(name, 'bigint[]')})" for name in _COLUMNS)
    return f"unnest({', '.join(arrays)}) as s({', '.join(_COLUMNS)})"


ROWS = {
    name: f"select s.n, row.bytes from {_seals('%({})s')} cross join lateral"
    f" (select {kind.bytes} as bytes {_of_seal(kind)} order by r.xid, r.id) as row"
    for name, kind in KINDS.items()
}
LEAVES = {
    name: text(
        f"select found.* from {_seals(':{}')} cross join lateral"
        f" (select each.id, substring(each.leaf for 8), each.in_tree from {_each(kind)}"
        " order by each.xid, each.id) as found"
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
    """A seal, the ids that its epoch spans, and what was signed of the tree that ends with it."""

    seal: Seal
    bounds: Bounds
    head: TreeHead | None = None


class RunningTree:
    """The Merkle tree of one seal's rows after the other's, held against what was signed of it."""

    def __init__(self) -> None:
        self.edge: Edge | None = Edge()

    def take(self, span: Span, leaves: bytes | None) -> Iterator[Finding]:
        """`leaves` of the seal's rows; None where those are not what was sealed: then only the signed tree counts."""
        known = self.edge is not None and leaves is not None
        self.edge = self.edge.after([leaves]) if self.edge is not None and leaves is not None else None
        if span.head is None:
            return
        if known and self.edge != span.head.edge:
            yield Finding("seal", "tree", seal=span.seal.n)
        self.edge = span.head.edge


def changed(session: Session, spans: Sequence[Span], tree: RunningTree) -> Iterator[Finding]:
    """What is wrong with the rows of these seals, in their order, and with the tree over them."""
    for span, leaves in _as_sealed(session, spans):
        if leaves is None:
            yield from list(_differences(session, span)) or [Finding("seal", "mismatch", seal=span.seal.n)]
        yield from tree.take(span, leaves)


def tree_leaves(session: Session, seals: Iterable[Seal]) -> Iterator[bytes]:
    """The leaf of each row of these seals in the Merkle tree, in the seals' order; those of one seal joined.

    A row that is not as it was sealed has the leaf of nothing at all in its place: no proof can ever be made of it.
    """
    known = afters(session)
    spans = (Span(each, bounds(each.epoch, known)) for each in seals)
    while some := list(batch(spans)):
        for span, leaves in _as_sealed(session, some):
            yield leaves if leaves is not None else b"".join(_as_known(session, span))


def batch(spans: Iterator[Span]) -> Iterator[Span]:
    """As many seals as are read in one query."""
    count = 0
    for span in islice(spans, SEALS_AT_ONCE):
        yield span
        count += span.seal.rows
        if count >= ROWS_AT_ONCE:
            return


def plan(session: Session) -> None:
    """How the queries of this transaction are to be carried out, whatever the server is set to."""
    for statement in PLANS.split("; "):
        session.execute(text(statement))


def afters(session: Session) -> dict[int, dict[str, int]]:
    """For each epoch the ids up to which rows belong to the epochs before it."""
    return {epoch: dict(zip(KINDS, ids, strict=True)) for epoch, *ids in session.execute(EPOCHS)}


def bounds(epoch: int, afters: Mapping[int, Mapping[str, int]]) -> Bounds:
    """The ids of an epoch. `afters`: for each epoch the ids up to which rows belong to those before it."""
    start = afters.get(epoch, {}) if epoch > 1 else {}
    up_to = afters.get(epoch + 1, {})
    return {kind: (start.get(kind, -NO_END - 1), up_to.get(kind, NO_END)) for kind in KINDS}


def _as_sealed(session: Session, spans: Sequence[Span]) -> Iterator[tuple[Span, bytes | None]]:
    """Each seal with the leaves of its rows, one after the other; None where they are not what was sealed.

    The server sends the rows, and makes the next ones while those before are hashed here. Its own hash takes about
    twice as long where it was built without OpenSSL.
    """
    found = {span.seal.n: _Found() for span in spans}
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    for kind, query in ROWS.items():
        with connection.cursor() as cursor:
            sent = cursor.stream(query.encode(), _arguments(spans), binary=True, size=SENT_AT_ONCE)
            for n, rows in groupby(sent, key=itemgetter(0)):
                while piece := [row for _, row in islice(rows, PIECE)]:
                    found[n].take(kind, piece)
    for span in spans:
        seal, now = span.seal, found[span.seal.n]
        same = seal.counted() == now.counts and sha256(now.leaves).digest() == seal.root
        yield span, bytes(now.tree) if same else None


class _Found:
    """The rows of one seal as they are now: how many of each kind, and both hashes of each (the seal's own, and the
    Merkle tree's, whose first byte says so), one after the other."""

    def __init__(self) -> None:
        self.counts, self.leaves, self.tree = dict.fromkeys(KINDS, 0), bytearray(), bytearray()

    def take(self, kind: str, rows: Sequence[bytes]) -> None:
        self.counts[kind] += len(rows)
        self.leaves += b"".join([sha256(row).digest() for row in rows])
        self.tree += leaf_hashes(rows)


def _as_known(session: Session, span: Span) -> Iterator[bytes]:
    for kind in KINDS:
        present = {row[0]: row[1:] for row in session.execute(LEAVES[kind], _arguments([span]))}
        for row, leaf in span.seal.known(kind):
            begins, in_tree = present.get(row, (None, b""))
            yield bytes(in_tree) if begins == leaf else leaf_hash(b"")


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
