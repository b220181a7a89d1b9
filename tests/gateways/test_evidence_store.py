"""The evidence store: what is kept comes back the same, or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.gateways.evidence_keys import (
    EvidenceErased,
    EvidenceKeyExposed,
    EvidenceKeyLost,
    EvidenceKeyUnfit,
    EvidenceKeyWrong,
)
from core.gateways.evidence_store import EvidenceAltered, EvidenceMissing, EvidenceStore, LegalRetention

ROOT = Path(__file__).resolve().parents[2]
ANNA, BEN = 7, 8
FILE = b"a photograph of two cracked tiles" * 50


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path)


def kept(store: EvidenceStore, subject: int, sha256: str) -> Path:
    return store.folder / str(subject) / sha256[:2] / sha256


def test_what_is_put_comes_back_under_the_hash_of_its_plain_bytes(store: EvidenceStore) -> None:
    sha256 = store.put(ANNA, FILE)
    assert sha256 == hashlib.sha256(FILE).hexdigest()
    assert store.get(ANNA, sha256) == FILE


def test_nothing_plain_lies_on_the_disk_and_every_file_is_private(
    store: EvidenceStore, tmp_path: Path
) -> None:
    store.put(ANNA, FILE)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3
    for path in files:
        assert b"cracked tiles" not in path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*") if path.is_dir())


def test_the_same_bytes_again_change_nothing(store: EvidenceStore) -> None:
    path = kept(store, ANNA, store.put(ANNA, FILE))
    before = path.read_bytes()
    store.put(ANNA, FILE)
    assert path.read_bytes() == before


@pytest.mark.parametrize("at", [0, 5, 20, -1])
def test_a_flipped_bit_is_found(store: EvidenceStore, at: int) -> None:
    sha256 = store.put(ANNA, FILE)
    path = kept(store, ANNA, sha256)
    changed = bytearray(path.read_bytes())
    changed[at] ^= 1
    path.write_bytes(bytes(changed))
    with pytest.raises(EvidenceAltered, match=sha256[:12]):
        store.get(ANNA, sha256)


@pytest.mark.parametrize("length", [0, 3, 16, 100])
def test_a_truncated_file_is_found(store: EvidenceStore, length: int) -> None:
    sha256 = store.put(ANNA, FILE)
    path = kept(store, ANNA, sha256)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(EvidenceAltered):
        store.get(ANNA, sha256)


def test_files_that_were_swapped_are_found(store: EvidenceStore) -> None:
    one, other = store.put(ANNA, FILE), store.put(ANNA, FILE + b"!")
    kept(store, ANNA, one).write_bytes(kept(store, ANNA, other).read_bytes())
    with pytest.raises(EvidenceAltered):
        store.get(ANNA, one)


def test_a_file_moved_to_another_party_does_not_open(store: EvidenceStore) -> None:
    sha256 = store.put(ANNA, FILE)
    store.put(BEN, b"something else")
    target = kept(store, BEN, sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(kept(store, ANNA, sha256).read_bytes())
    with pytest.raises(EvidenceAltered):
        store.get(BEN, sha256)


def test_putting_the_file_again_repairs_it(store: EvidenceStore) -> None:
    sha256 = store.put(ANNA, FILE)
    kept(store, ANNA, sha256).write_bytes(b"")
    store.put(ANNA, FILE)
    assert store.get(ANNA, sha256) == FILE


@pytest.mark.parametrize("sha256", ["0" * 64, "../../keys/evidence.key", "", "A" * 64])
def test_what_was_never_put_is_missing(store: EvidenceStore, sha256: str) -> None:
    store.put(ANNA, FILE)
    with pytest.raises(EvidenceMissing):
        store.get(ANNA, sha256)


def test_a_form_is_made_once_kept_encrypted_and_made_again_when_damaged(store: EvidenceStore) -> None:
    sha256 = store.put(ANNA, FILE)
    made: list[bytes] = []

    def make(original: bytes) -> bytes:
        made.append(original)
        return b"small"

    assert [store.form(ANNA, sha256, "thumbnail", make) for _ in range(3)] == [b"small"] * 3
    assert made == [FILE]
    path = kept(store, ANNA, sha256).with_name(f"{sha256}.thumbnail")
    path.write_bytes(path.read_bytes()[:-1])
    assert store.form(ANNA, sha256, "thumbnail", make) == b"small"
    assert len(made) == 2


def test_erasing_a_party_makes_its_files_unreadable_even_from_a_copy(store: EvidenceStore) -> None:
    sha256, other = store.put(ANNA, FILE), store.put(BEN, FILE)
    path = kept(store, ANNA, sha256)
    copy = path.read_bytes()
    store.erase(ANNA, retention=None)
    with pytest.raises(EvidenceErased):
        store.get(ANNA, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(copy)
    with pytest.raises(EvidenceErased):
        store.get(ANNA, sha256)
    assert store.get(BEN, other) == FILE


def test_an_erased_party_hands_in_nothing_more_and_erasing_twice_does_no_harm(store: EvidenceStore) -> None:
    store.erase(ANNA, retention=None)
    store.erase(ANNA, retention=None)
    with pytest.raises(EvidenceErased):
        store.put(ANNA, FILE)


def test_a_legal_duty_to_keep_wins_over_erasure(store: EvidenceStore) -> None:
    sha256 = store.put(ANNA, FILE)
    with pytest.raises(LegalRetention, match="tax records"):
        store.erase(ANNA, retention="tax records until 2033")
    assert store.get(ANNA, sha256) == FILE


def test_a_given_key_is_used_and_no_other_opens_the_store(tmp_path: Path) -> None:
    sha256 = EvidenceStore(tmp_path, key="ab" * 32).put(ANNA, FILE)
    assert not (tmp_path / "keys" / "evidence.key").exists()
    assert EvidenceStore(tmp_path, key="ab" * 32).get(ANNA, sha256) == FILE
    with pytest.raises(EvidenceKeyWrong):
        EvidenceStore(tmp_path, key="cd" * 32).get(ANNA, sha256)


@pytest.mark.parametrize("key", ["secret", "ab" * 16, "Zm9v", "é"])
def test_a_key_of_another_shape_is_refused_at_once(tmp_path: Path, key: str) -> None:
    with pytest.raises(EvidenceKeyUnfit):
        EvidenceStore(tmp_path, key=key)


def test_a_lost_master_key_is_never_replaced_in_silence(store: EvidenceStore) -> None:
    sha256 = store.put(ANNA, FILE)
    (store.keys.folder / "evidence.key").unlink()
    for attempt in (lambda: store.get(ANNA, sha256), lambda: store.put(BEN, FILE)):
        with pytest.raises(EvidenceKeyLost):
            attempt()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_a_master_key_that_others_can_read_is_refused(store: EvidenceStore) -> None:
    sha256 = store.put(ANNA, FILE)
    (store.keys.folder / "evidence.key").chmod(0o644)
    with pytest.raises(EvidenceKeyExposed):
        store.get(ANNA, sha256)


def test_two_processes_starting_one_store_agree_on_every_key(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from core.gateways.evidence_store import EvidenceStore\n"
        "store = EvidenceStore(Path(sys.argv[1]))\n"
        "for n in range(40): store.put(n % 8, b'same %d' % n); store.put(n % 8, sys.argv[2].encode() + b'%d' % n)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    running = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("one", "two", "three")]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    store = EvidenceStore(tmp_path)
    for n in range(40):
        for content in (b"same %d" % n, b"one%d" % n, b"two%d" % n, b"three%d" % n):
            assert store.get(n % 8, hashlib.sha256(content).hexdigest()) == content
    assert not list(tmp_path.rglob("*.part"))


def test_erasing_while_others_write_leaves_no_key_behind(store: EvidenceStore) -> None:
    def write(n: int) -> None:
        try:
            store.put(ANNA, b"%d" % n)
        except EvidenceErased:
            return

    with ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(write, n) for n in range(60)]
        store.erase(ANNA, retention=None)
        for one in writing:
            one.result()
    assert not (store.keys.folder / "evidence" / f"{ANNA}.key").exists()
    with pytest.raises(EvidenceErased):
        store.put(ANNA, FILE)
