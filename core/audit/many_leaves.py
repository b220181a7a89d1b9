"""One proof for many leaves of a Merkle tree: the hashes of all that lies between them, from left to right.

Whoever has the leaves builds the root from the top down: a part of the tree that holds none of them takes the next hash
of the path, a single leaf is itself, and every other part is the node of its two halves (split as RFC 6962 splits it).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence

from core.audit.merkle import DIGEST, Edge, node_hash

Root = Callable[[int, int], bytes]


def path(joined: bytes, places: Sequence[int]) -> list[bytes]:
    """What is between the leaves at `places` (in order, none twice). `joined`: the hashes of all leaves."""
    found: list[bytes] = []

    def root(low: int, high: int) -> bytes:
        found.append(Edge().after([joined[low * DIGEST : high * DIGEST]]).root)
        return b""

    size = len(joined) // DIGEST
    _build(size, places, lambda place: b"", root, lambda left, right: b"")
    return found


def root_of(leaves: Mapping[int, bytes], size: int, path: Iterable[bytes]) -> bytes | None:
    """The root of the tree in which this path puts the leaves, given by their places; None where it is no path of such
    a tree."""
    places, rest = sorted(leaves), iter(path)
    if size < 1 or not all(0 <= place < size for place in places):
        return None
    try:
        found = _build(size, places, leaves.__getitem__, lambda low, high: next(rest), node_hash)
    except StopIteration:
        return None
    return found if next(rest, None) is None else None


def _build(
    size: int,
    places: Sequence[int],
    leaf: Callable[[int], bytes],
    other: Root,
    node: Callable[[bytes, bytes], bytes],
) -> bytes:
    def build(low: int, high: int, first: int, last: int) -> bytes:
        """`places[first:last]` are those from `low` up to `high`."""
        if first == last:
            return other(low, high)
        if high - low == 1:
            return leaf(low)
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        split = bisect_left(places, middle, first, last)
        left = build(low, middle, first, split)
        return node(left, build(middle, high, split, last))

    return build(0, size, 0, len(places))
