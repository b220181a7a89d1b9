"""The Merkle tree: the published vectors of Certificate Transparency, RFC 6962 by its own definition, and proofs that
hold for nothing but what they prove."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.audit.merkle import EMPTY, Edge, Tree, grew, leaf_hash, node_hash, root_of_inclusion

# The reference leaves of Certificate Transparency, and the roots of the trees of the first n of them (RFC 6962's
# reference implementation, `merkle_tree_test`).
LEAVES = [
    bytes.fromhex(each)
    for each in [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def by_definition(data: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not data:
        return hashlib.sha256().digest()
    if len(data) == 1:
        return leaf_hash(data[0])
    k = 1
    while k * 2 < len(data):
        k *= 2
    return node_hash(by_definition(data[:k]), by_definition(data[k:]))


def edge(data: Sequence[bytes]) -> Edge:
    return Edge().after(map(leaf_hash, data))


def tree(data: Sequence[bytes], known_from: int = 0) -> Tree:
    return Tree(edge(data[:known_from]), [leaf_hash(each) for each in data[known_from:]])


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size: int) -> None:
    assert edge(LEAVES[:size]).root.hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_published_inclusion_proofs(index: int, size: int) -> None:
    path = tree(LEAVES[:size]).inclusion(index)
    assert [each.hex() for each in path] == INCLUSION[index, size]
    assert root_of_inclusion(leaf_hash(LEAVES[index]), index, size, path) == bytes.fromhex(ROOTS[size])


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_the_published_consistency_proofs(first: int, second: int) -> None:
    path = tree(LEAVES[:second], first).consistency()
    assert [each.hex() for each in path] == CONSISTENCY[first, second]
    assert grew(first, bytes.fromhex(ROOTS[first]), second, bytes.fromhex(ROOTS[second]), path)


DATA = st.lists(st.binary(max_size=4), min_size=1, max_size=70)
BYTES = st.binary(min_size=32, max_size=32)


@given(DATA, st.data())
def test_the_root_is_that_of_the_definition_however_the_leaves_came(
    data: list[bytes], draw: st.DataObject
) -> None:
    at = draw.draw(st.integers(0, len(data)))
    assert edge(data[:at]).after(map(leaf_hash, data[at:])) == edge(data)
    assert edge(data).root == by_definition(data)


@given(DATA, st.data())
def test_every_leaf_after_the_edge_has_a_proof_that_fits_its_place_only(
    data: list[bytes], draw: st.DataObject
) -> None:
    known_from = draw.draw(st.integers(0, len(data) - 1))
    index = draw.draw(st.integers(known_from, len(data) - 1))
    size, leaf, root = len(data), leaf_hash(data[index]), by_definition(data)
    path = tree(data, known_from).inclusion(index)
    assert path == tree(data).inclusion(index)
    assert root_of_inclusion(leaf, index, size, path) == root
    other = draw.draw(BYTES)
    assert root_of_inclusion(other, index, size, path) != root or other == leaf
    for cut in (path[:-1], [*path, other]):
        assert cut == path or root_of_inclusion(leaf, index, size, cut) != root
    at = draw.draw(st.integers(0, max(0, len(path) - 1)))
    if path:
        assert root_of_inclusion(leaf, index, size, [*path[:at], other, *path[at + 1 :]]) != root
    assert root_of_inclusion(leaf, size, size, path) is None
    with pytest.raises(IndexError):
        tree(data, known_from).inclusion(size)


@given(DATA, st.data())
def test_growth_is_proved_where_the_tree_grew_and_nowhere_else(
    data: list[bytes], draw: st.DataObject
) -> None:
    first, second = draw.draw(st.integers(0, len(data))), len(data)
    old, new = edge(data[:first]).root, edge(data).root
    path = tree(data, first).consistency()
    assert grew(first, old, second, new, path)
    other = draw.draw(BYTES)
    assert not grew(first, other, second, new, path)
    if first:
        assert not grew(first, old, second, other, path)
        assert not grew(first, old, second, new, [*path, other])
        altered = [*data[: first - 1], data[first - 1] + b"!", *data[first:]]
        assert not grew(first, old, second, edge(altered).root, tree(altered, first).consistency())
    for at in range(len(path)):
        assert not grew(first, old, second, new, [*path[:at], other, *path[at + 1 :]])
        assert not grew(first, old, second, new, [*path[:at], *path[at + 1 :]])
    assert first == second or not grew(second, new, first, old, path)


def test_nothing_is_the_hash_of_nothing_and_an_edge_has_a_hash_for_each_bit() -> None:
    assert Edge().root == EMPTY
    with pytest.raises(ValueError, match="2 leaves"):
        Edge(2, (EMPTY, EMPTY))
