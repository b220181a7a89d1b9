"""An example: verify a bundle of Escrow Desk's audit log, with the standard library and `cryptography`.

    python verify_bundle.py FILE --key FINGERPRINT

FILE is what `audit export --format bundle` wrote, FINGERPRINT what the desk's people told you of its key. Exit code 0
where nothing is off, else 1. docs/audit-format.md says what is checked. Other exports and proofs: verify_export.py.
"""

import argparse
import base64
import hashlib
import json
import struct
import sys
import zipfile
import zlib
from bisect import bisect_left
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

COLUMNS = (
    "id at actor_kind actor_id role action object_kind object_id reason before after project_id milestone_id ticket_id"
    " report_id operation_key recorded_at xid"
).split()
DAMAGED = "The bundle {} was cut off or damaged ({}): get the file again."
NO_BUNDLE = (
    "{} is no bundle: “python verify_export.py FILE --key FINGERPRINT” verifies CSV, JSON Lines and proofs."
)
TEXTS = "actor_kind role action object_kind object_id reason before after operation_key".split()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(facts):
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(key):
    return ":".join(sha256(key).hex()[at : at + 4] for at in range(0, 32, 4))


def signed(key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def entry_bytes(entry):
    """PostgreSQL's binary form of the row: each value with its type and length before it."""
    values = [(17, b"entry")]
    for name in COLUMNS:
        value = entry[name]
        if name in ("at", "recorded_at"):
            since = datetime.fromisoformat(value) - datetime(2000, 1, 1, tzinfo=UTC)
            values.append((1184, struct.pack(">q", since // timedelta(microseconds=1))))
        elif name == "xid":
            values.append((5069, struct.pack(">Q", int(value))))
        else:
            packed = None if value is None else value.encode() if name in TEXTS else struct.pack(">q", value)
            values.append((17 if name in TEXTS else 20, packed))
    parts = [struct.pack(">Ii", kind, -1 if v is None else len(v)) + (v or b"") for kind, v in values]
    return struct.pack(">i", len(values)) + b"".join(parts)


def root(leaves, places, path, low, high):
    """From the top down: a part of the tree without any of the leaves is the next hash of the path."""
    if not places:
        return next(path)
    if high - low == 1:
        return leaves[low]
    middle = low + (1 << (high - low - 1).bit_length() - 1)
    at = bisect_left(places, middle)
    left = root(leaves, places[:at], path, low, middle)
    return sha256(b"\1", left, root(leaves, places[at:], path, middle, high))


def trusted(proof, known):
    """The key that is known, and those after it while each is signed by the one before."""
    kept, before = [], None
    for pin in proof["keys"]:
        key = bytes.fromhex(pin["public_key"])
        facts = {"ledger": proof["ledger"]} | {k: v for k, v in pin.items() if k != "by_previous"}
        said = b"escrow-desk signing key 1\n" + canonical(facts)
        handed = before in kept and signed(before, bytes.fromhex(pin["by_previous"] or ""), said)
        kept += [key] * (fingerprint(key) == known or handed)
        before = key
    return kept


def check(bundle, known):
    manifest, proof = (json.loads(bundle.read(name)) for name in ("manifest.json", "proof.json"))
    keys, key = trusted(proof, known), bytes.fromhex(manifest["key"])
    facts = {name: value for name, value in manifest.items() if name != "signature"}
    said = b"escrow-desk audit export 2\n" + canonical(facts)
    if key not in keys or not signed(key, bytes.fromhex(manifest["signature"]), said):
        yield "The manifest was altered, or signed by a key that is not the desk's."
    hashes = manifest["files"] | {"entries.jsonl": manifest["sha256"]}
    if sorted(bundle.namelist()) != sorted([*hashes, "manifest.json"]):
        yield "The bundle holds other files than the manifest says."
    yield from (f"{name} was altered." for name in hashes if sha256(bundle.read(name)).hex() != hashes[name])
    text, _, signature = proof["checkpoint"].partition("\n\n")
    name, size, top = text.split("\n")
    raw = base64.b64decode(signature.split(" ")[2])
    if name != f"escrow-desk/{manifest['ledger']}" or not any(
        raw[:4] == sha256(name.encode(), b"\n\1", each)[:4] and signed(each, raw[4:], f"{text}\n".encode())
        for each in keys
    ):
        yield "The checkpoint was altered, is of another log, or is signed by a key that is not the desk's."
    rows = [json.loads(line) for line in bundle.read("entries.jsonl").splitlines()]
    if len(rows) != manifest["rows"] or proof["places"].count(None) != manifest["not_sealed"]:
        yield "The bundle holds other rows than the manifest says."
    pairs = zip(proof["places"], rows, strict=True)
    leaves = {at: sha256(b"\0", entry_bytes(row)) for at, row in pairs if at is not None}
    path = iter([bytes.fromhex(each) for each in proof["path"]])
    found = root(leaves, sorted(leaves), path, 0, int(size))
    if found != base64.b64decode(top) or next(path, None) is not None:
        yield "The entries are not in the tree that was signed."


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--key", required=True)
    asked = parser.parse_args()
    try:
        with open(asked.file, "rb") as file:
            zipped = file.read(4) == b"PK\3\4"
        with zipfile.ZipFile(asked.file) as bundle:
            wrong = list(check(bundle, asked.key))
    except OSError:
        wrong = [f"There is no file {asked.file}, or it cannot be read."]
    except (zipfile.BadZipFile, EOFError, zlib.error) as problem:
        wrong = [DAMAGED.format(asked.file, problem) if zipped else NO_BUNDLE.format(asked.file)]
    except Exception as problem:
        wrong = [f"It was altered, or is of another version: {problem!r}"]
    print("\n".join(wrong) or "Nothing is off: every sealed entry stands in the log as it is here.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
