"""The Merkle tree of RFC 6962 (section 2.1; checks of proofs as in RFC 9162, section 2.1): hashes in, hashes out.

leaf: sha256(0x00, data) · node: sha256(0x01, left, right) · no leaves at all: sha256 of nothing. A tree of n > 1 leaves
is split at k, the largest power of two below n: the root is the node of the roots of [0, k) and [k, n).

Whoever appends needs no leaf of before, only the *edge*: the roots of the full subtrees that the leaves fill, from the
left, one for each bit of their number. It is also all that a proof needs to know of what lies before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

EMPTY = sha256().digest()
DIGEST = 32


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def leaf_hashes(rows: Iterable[bytes]) -> bytes:
    """Those of several, joined."""
    return b"".join([sha256(b"\x00" + row).digest() for row in rows])


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Edge:
    """The right edge of a tree with `size` leaves: its full subtrees, the largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"an edge of {len(self.hashes)} hashes has not {self.size} leaves")

    @property
    def root(self) -> bytes:
        """The root of the whole tree."""
        if not self.hashes:
            return EMPTY
        *rest, found = self.hashes
        for left in reversed(rest):
            found = node_hash(left, found)
        return found

    def after(self, leaves: Iterable[bytes]) -> Edge:
        """The edge when these leaves were appended: their hashes, one by one or several joined."""
        level, size, found = b"".join(leaves), self.size, list(self.hashes)
        size += len(level) // DIGEST
        edge: list[bytes] = []
        for bit in range(size.bit_length()):  # level by level, from the leaves up
            if self.size >> bit & 1:
                level = found.pop() + level
            if size >> bit & 1:
                edge.append(level[-DIGEST:])
                level = level[:-DIGEST]
            pairs = range(0, len(level), 2 * DIGEST)
            level = b"".join([sha256(b"\x01" + level[at : at + 2 * DIGEST]).digest() for at in pairs])
        return Edge(size, tuple(reversed(edge)))


def cut(joined: bytes) -> list[bytes]:
    """Hashes that stand one after the other."""
    return [joined[at : at + DIGEST] for at in range(0, len(joined), DIGEST)]


@dataclass(frozen=True)
class Tree:
    """What is known of a tree: the edge of its first leaves, and the hash of each leaf after those."""

    before: Edge
    leaves: Sequence[bytes]

    @property
    def size(self) -> int:
        return self.before.size + len(self.leaves)

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of a leaf that is known, from the bottom up. Raises IndexError for any other leaf."""
        if not self.before.size <= index < self.size:
            raise IndexError(index)
        path: list[bytes] = []
        low, high = 0, self.size
        while high - low > 1:
            middle = low + _split(high - low)
            left = index < middle
            path.append(self._root(middle, high) if left else self._root(low, middle))
            low, high = (low, middle) if left else (middle, high)
        return path[::-1]

    def consistency(self) -> list[bytes]:
        """Proves that the tree begins with the leaves of `before`; empty where nothing was before or came after."""
        if not self.before.size or not self.leaves:
            return []
        path: list[bytes] = []
        low, high, first, whole = 0, self.size, self.before.size, True
        while first != high:
            middle = low + _split(high - low)
            if first <= middle:
                path.append(self._root(middle, high))
                high = middle
            else:
                path.append(self._root(low, middle))
                low, whole = middle, False
        return ([] if whole else [self._root(low, high)]) + path[::-1]

    def _root(self, low: int, high: int) -> bytes:
        """The root of the leaves [low, high). Of those before the edge, only full subtrees and what they begin."""
        if low >= self.before.size:
            known = self.leaves[low - self.before.size : high - self.before.size]
            return Edge().after(known).root
        at = 0
        for place, each in enumerate(self.before.hashes):
            step = 1 << _bits(self.before.size)[place]
            if (at, at + step) == (low, high):
                return each
            at += step
        middle = low + _split(high - low)
        return node_hash(self._root(low, middle), self._root(middle, high))


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root of the tree in which this path puts the leaf; None where it is no path of such a tree."""
    sides = _sides(index, size - 1, len(path)) if 0 <= index < size else None
    if sides is None:
        return None
    for each, left in zip(path, sides, strict=True):
        leaf = node_hash(each, leaf) if left else node_hash(leaf, each)
    return leaf


def grew(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the tree of the second size and root begins with that of the first."""
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        return second > 0 and not path and first_root == EMPTY
    if not 0 < first < second:
        return False
    # Where the first tree is one full subtree, its root begins the path without being told.
    begin, *rest = path if first & (first - 1) else [first_root, *path]
    skipped = _ones(first - 1)
    sides = _sides(first - 1 >> skipped, second - 1 >> skipped, len(rest))
    if sides is None:
        return False
    old = new = begin
    for each, left in zip(rest, sides, strict=True):
        old, new = (node_hash(each, old), node_hash(each, new)) if left else (old, node_hash(new, each))
    return old == first_root and new == second_root


def _sides(at: int, last: int, steps: int) -> list[bool] | None:
    """On the way up from a node to the root, whether each sibling lies to the left; None where that takes more or fewer
    steps. `at` and `last`: the places of the node and of the last one, counted from 0 on its level."""
    sides = []
    while last:
        left = bool(at & 1) or at == last
        sides.append(left)
        if left and not at & 1:  # the last of its level, without a sibling: it goes up as it is
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return sides if len(sides) == steps else None


def _ones(number: int) -> int:
    """How many ones end it in binary."""
    return (~number & number + 1).bit_length() - 1


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _bits(size: int) -> list[int]:
    """Which powers of two make up `size`, the largest first."""
    return [bit for bit in range(size.bit_length() - 1, -1, -1) if size >> bit & 1]
