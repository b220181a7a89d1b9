"""An example: verify an export, or a proof, of Escrow Desk's audit log, with the standard library and `cryptography`.

    python verify_export.py FILE --key FINGERPRINT

FILE is a proof (`audit prove`, `audit prove-growth`), or a CSV or JSON Lines file with FILE.manifest.json beside it.
Says what is off, line by line; exit code 0 where nothing is, else 1. docs/audit-format.md says what is checked.
"""

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TEXTS = "actor_kind role action object_kind object_id reason before after operation_key".split()
COLUMNS = (
    "id at actor_kind actor_id role action object_kind object_id reason before after project_id milestone_id ticket_id"
    " report_id operation_key recorded_at xid"
).split()
COMMAND = "escrow-desk audit verify-export FILE --key FINGERPRINT"
OTHERS = {
    b"PK\3\4": f"It is a bundle: “python verify_bundle.py FILE --key FINGERPRINT” verifies it, or “{COMMAND}”.",
    b"PAR1": f"It is Parquet: “{COMMAND}” verifies it.",
}
NO_FILE = "There is no file {}, or it cannot be read."
NO_MANIFEST = (
    "{0} is no proof, and {0}.manifest.json, the manifest of an export, is not beside it or cannot be read."
)
NO_JSON = "The manifest {}.manifest.json is no JSON: it was altered or cut off."
NOTE = re.compile(r"(([^\s+]+)\n(\d+)\n([A-Za-z0-9+/]{43}=)\n)\n\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)\n")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(facts):
    """RFC 8785, for what the desk signs: texts, whole numbers, and no floats."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(key):
    digits = sha256(key).hex()[:32]
    return ":".join(digits[at : at + 4] for at in range(0, 32, 4))


def signed(key, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


def entry_bytes(entry):
    """The canonical form: PostgreSQL's binary form of a row, each value with its type and length before it."""
    values = [(17, b"entry")]
    for name in COLUMNS:
        value = entry[name]
        if name == "xid":
            values.append((5069, struct.pack(">Q", int(value))))
        elif name in ("at", "recorded_at"):
            since = datetime.fromisoformat(value) - datetime(2000, 1, 1, tzinfo=UTC)
            values.append((1184, struct.pack(">q", since // timedelta(microseconds=1))))
        elif name in TEXTS:
            values.append((17, None if value is None else value.encode()))
        else:
            values.append((20, None if value is None else struct.pack(">q", value)))
    parts = [struct.pack(">Ii", type, -1 if v is None else len(v)) + (v or b"") for type, v in values]
    return struct.pack(">i", len(values)) + b"".join(parts)


def climb(at, last, begin, path, old=None):
    """From a leaf (or, with `old`, a node that both trees share) to the root: RFC 9162, 2.1.3.2 and 2.1.4.2."""
    new = begin
    for each in path:
        if not last:
            return None, None
        if at & 1 or at == last:
            old, new = old and sha256(b"\1", each, old), sha256(b"\1", each, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = sha256(b"\1", new, each)
        at, last = at >> 1, last >> 1
    return (old, new) if not last else (None, None)


def grew(first, first_root, second, second_root, path):
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second:
        return False
    path = list(path) if first & (first - 1) else [first_root, *path]
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    return bool(path) and climb(at, last, path[0], path[1:], path[0]) == (first_root, second_root)


def read_note(note, ledger, keys, wrong):
    """Size and root of a checkpoint, whose signature must be of one of the keys."""
    text, origin, size, root, name, signature = NOTE.fullmatch(note).groups()
    raw = base64.b64decode(signature)
    by = [
        k
        for k in keys
        if raw[:4] == sha256(name.encode(), b"\n\1", k)[:4] and signed(k, raw[4:], text.encode())
    ]
    if origin != f"escrow-desk/{ledger}" or name != origin or not by:
        wrong.append("The checkpoint was altered, or signed by a key that is not the desk's.")
    return int(size), base64.b64decode(root)


def trusted(data, key):
    """The key that is known, and those after it while each is signed by the one before."""
    kept, before = [], None
    for pin in data["keys"]:
        raw = bytes.fromhex(pin["public_key"])
        facts = {"ledger": data["ledger"]} | {k: v for k, v in pin.items() if k != "by_previous"}
        said = b"escrow-desk signing key 1\n" + canonical(facts)
        handed = before in kept and signed(before, bytes.fromhex(pin["by_previous"] or ""), said)
        if fingerprint(raw) == key or handed:
            kept.append(raw)
        before = raw
    return kept


def check_proof(data, key):
    wrong, keys = [], trusted(data, key)
    path = [bytes.fromhex(each) for each in data["path"]]
    if data["proof"] == "escrow-desk/entry-proof/1":
        size, root = read_note(data["checkpoint"], data["ledger"], keys, wrong)
        leaf, index = sha256(b"\0", entry_bytes(data["entry"])), data["index"]
        exact = data["entry"].keys() == set(COLUMNS) and 0 <= index < size
        if not exact or climb(index, size - 1, leaf, path)[1] != root:
            wrong.append(
                "The entry is not in the tree that was signed: it, its place or its path was altered."
            )
    else:
        first = read_note(data["first"], data["ledger"], keys, wrong)
        if not grew(*first, *read_note(data["second"], data["ledger"], keys, wrong), path):
            wrong.append("The second tree does not begin with the first: the log did not only grow.")
    return wrong


def check_export(content, data, key):
    wrong, raw = [], bytes.fromhex(data["key"])
    facts = {name: value for name, value in data.items() if name != "signature"}
    if not signed(raw, bytes.fromhex(data["signature"]), b"escrow-desk audit export 2\n" + canonical(facts)):
        wrong.append("The manifest was altered: its signature does not fit it.")
    if fingerprint(raw) != key:
        wrong.append(f"The manifest is signed by the key {fingerprint(raw)}, and not by {key}.")
    if data["checkpoint"]:
        line = json.loads(data["checkpoint"])
        signature = bytes.fromhex(line.pop("signature"))
        here = (line["ledger"], line["n"], line["hash"]) == (data["ledger"], data["seal"], data["seal_hash"])
        if not here or not signed(bytes.fromhex(line["key"]), signature, canonical(line)):
            wrong.append("The checkpoint in the manifest was altered, or is of another seal.")
    if sha256(content).hex() != data["sha256"]:
        wrong += differences(content, data) or ["The file is not the one that was exported."]
    return wrong


def differences(content, data):
    """Which rows: each has its id and the first four bytes of its own SHA-256 in the manifest."""
    rows, row = [], b""
    for line in content.splitlines(keepends=True):
        row += line
        if data["format"] != "csv" or row.count(b'"') % 2 == 0:
            rows.append(row)
            row = b""
    header = rows.pop(0) if data["format"] == "csv" and rows else b""
    found = [(int((re.match(rb'(?:\{"id":)?(\d+)', each) or [0, -1])[1]), sha256(each)[:4]) for each in rows]
    marks, wanted, id, step, shift = base64.b64decode(data["lines"]["marks"]), {}, 0, 0, 0
    for byte in zlib.decompress(
        base64.b64decode(data["lines"]["ids"])
    ):  # steps from id to id, seven bits a byte
        step, shift = step | (byte & 127) << shift, shift + 7
        if byte < 128:
            id, step, shift = id + step, 0, 0
            wanted[id] = marks[4 * len(wanted) : 4 * len(wanted) + 4]
    wrong = ["The names of the columns were altered."] * (
        data["header_sha256"] not in (None, sha256(header).hex())
    )
    wrong += [f"Entry {id} was inserted." for id, _ in found if id not in wanted]
    wrong += [f"Entry {id} was altered." for id, mark in found if wanted.get(id, mark) != mark]
    return wrong + [f"Entry {id} is missing." for id in wanted if id not in dict(found)]


def read(file):
    try:
        return file.read_bytes()
    except OSError:
        return None


def parsed(content):
    """What is no JSON object is nothing that the desk signed."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def check(file, key):
    content, beside = read(file), read(file.with_name(file.name + ".manifest.json"))
    if content is None:
        return [NO_FILE.format(file)]
    if content[:4] in OTHERS:
        return [OTHERS[content[:4]]]
    if beside is not None:
        data = parsed(beside)
        return [NO_JSON.format(file)] if data is None else check_export(content, data, key)
    data = parsed(content)
    return check_proof(data, key) if data and "proof" in data else [NO_MANIFEST.format(file)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", required=True, help="the fingerprint that the desk's people told you")
    asked = parser.parse_args()
    try:
        wrong = check(asked.file, asked.key)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        struct.error,
        zlib.error,
        OverflowError,
    ) as problem:
        wrong = [f"It was altered, or is of another version: {problem!r}"]
    print("\n".join(wrong) or "Nothing is off: it is as the desk signed it.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
