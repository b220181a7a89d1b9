"""Timestamps: an authority that is not the desk's signs that a checkpoint existed at a time (RFC 3161).

What is stamped is the signed note of the Merkle tree (`core.audit.tree_heads`), so one token dates every row up to
there, and `openssl ts -verify` needs nothing but the note, the answer and the authority's certificate. Tokens lie
beside the checkpoints, one JSON line each: `n` of the seal, `note`, and `answer`, the authority's whole answer in
base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from core.audit import checkpoints
from core.audit.checkpoint_lines import lines_from
from core.audit.verification_report import Finding
from core.errors import DeskError

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse, VerifierBuilder

FILE = "{ledger}.timestamps"
PATIENCE = 15.0  # seconds
LARGEST = 2**20  # bytes of an answer
ASKED, ANSWERED = "application/timestamp-query", "application/timestamp-reply"
NOT_READ = (ValueError, TypeError, KeyError, AttributeError)


class TimestampRefused(DeskError):
    """The timestamp does not prove anything: {why}."""


class AuthorityUnreachable(DeskError):
    """The timestamp authority {url} does not answer as it should: {why}."""


class CertificateUnusable(DeskError):
    """ESCROW_DESK_TIMESTAMP_CERTIFICATE cannot be used: {why}. It is a PEM file with the root certificate of the
    authority, those between, and, where no other of its signers is to be believed, the one that signs timestamps."""


@dataclass(frozen=True)
class Authority:
    """Whose word on time is believed: `file` has the root that is trusted, and perhaps the very certificate that must
    sign."""

    file: Path

    @cached_property
    def certificates(self) -> list[x509.Certificate]:
        """Raises `CertificateUnusable`."""
        try:
            found = x509.load_pem_x509_certificates(self.file.read_bytes())
        except (OSError, ValueError) as problem:
            raise CertificateUnusable(why=getattr(problem, "strerror", None) or problem) from None
        if not any(each.issuer == each.subject for each in found):
            raise CertificateUnusable(why=f"there is no root in {self.file}")
        return found

    @property
    def pinned(self) -> x509.Certificate | None:
        """The one that must sign, where it is named."""
        return next((each for each in self.certificates if _stamps(each)), None)

    def time_of(self, note: str, answer: bytes, *, nonce: int | None = None) -> datetime:
        """When the note existed at the latest. Raises `TimestampRefused`, `CertificateUnusable`."""
        from rfc3161_client import VerificationError, decode_timestamp_response

        try:
            found = decode_timestamp_response(answer)
            verifier = self._verifier(found)
            (verifier.nonce(nonce) if nonce is not None else verifier).build().verify_message(
                found, note.encode()
            )
            return found.tst_info.gen_time.astimezone(UTC)
        except (VerificationError, *NOT_READ) as problem:
            raise TimestampRefused(why=str(problem) or type(problem).__name__) from None

    def _verifier(self, found: TimeStampResponse) -> VerifierBuilder:
        """The chain from the certificate that signed to a root that is trusted."""
        from rfc3161_client import VerifierBuilder

        enclosed = [x509.load_der_x509_certificate(each) for each in found.signed_data.certificates]
        roots = [each for each in self.certificates if each.issuer == each.subject]
        between = [each for each in [*self.certificates, *enclosed] if each not in roots]
        return VerifierBuilder(
            tsa_certificate=self.pinned, roots=roots, intermediates=list(dict.fromkeys(between))
        )


@dataclass(frozen=True)
class Timestamp:
    """One token as it lies beside the checkpoints; nothing is checked yet."""

    n: int
    note: str
    answer: bytes

    def facts(self) -> dict[str, Any]:
        return {"n": self.n, "note": self.note, "answer": base64.b64encode(self.answer).decode()}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Timestamp:
        """Raises KeyError, TypeError or ValueError on anything else than `facts()`."""
        return cls(int(facts["n"]), str(facts["note"]), base64.b64decode(facts["answer"], validate=True))


def ask(url: str, note: str, authority: Authority) -> bytes:
    """The authority's answer, which was verified. Raises `AuthorityUnreachable`, `TimestampRefused`."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    asked = TimestampRequestBuilder().data(note.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        with requests.post(
            url,
            data=asked.as_bytes(),
            headers={"Content-Type": ASKED, "Accept": ANSWERED},
            timeout=PATIENCE,
            stream=True,
        ) as reply:
            reply.raise_for_status()
            answer = reply.raw.read(LARGEST + 1, decode_content=True)
    except (requests.RequestException, OSError) as problem:
        raise AuthorityUnreachable(url=url, why=_said(problem)) from None
    if len(answer) > LARGEST:
        raise AuthorityUnreachable(url=url, why="its answer is too large")
    authority.time_of(note, answer, nonce=asked.nonce)
    return answer


def keep(folder: Path, ledger: str, stamp: Timestamp) -> None:
    """Add a token, so that it is on the disk when this returns."""
    content = json.dumps(stamp.facts(), separators=(",", ":")).encode() + b"\n"
    checkpoints.append_to(folder / FILE.format(ledger=ledger), [content])


def kept(folder: Path, ledger: str) -> Iterator[tuple[int, Timestamp | None]]:
    """Every token that lies there with its line, in order; None where it cannot be read."""
    path = folder / FILE.format(ledger=ledger)
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                yield number, _read(line)


def newest(folder: Path, ledger: str) -> Timestamp | None:
    """The last token that can be read; nothing of it is checked."""
    path = folder / FILE.format(ledger=ledger)
    line = checkpoints.last_line_of(path) if path.exists() else b""
    return _read(line) if line else None


def time_said(stamp: Timestamp) -> datetime | None:
    """When it says that the note existed, unchecked."""
    from rfc3161_client import decode_timestamp_response

    try:
        return decode_timestamp_response(stamp.answer).tst_info.gen_time.astimezone(UTC)
    except NOT_READ:
        return None


@dataclass(frozen=True)
class Timestamped:
    """What the tokens prove: how many do, and the seal and time of the last."""

    count: int = 0
    n: int | None = None
    at: datetime | None = None


def verified(folder: Path, ledger: str, authority: Authority) -> tuple[Timestamped, list[Finding]]:
    """Every token against the authority, and its note against the checkpoint of that seal."""
    found, wrong = Timestamped(), []
    for number, stamp in kept(folder, ledger):
        try:
            if stamp is None:
                raise TimestampRefused(why="it cannot be read")
            at = authority.time_of(stamp.note, stamp.answer)
            if note_of(folder, ledger, stamp.n) != stamp.note:
                raise TimestampRefused(why="it is of another checkpoint than the one that lies here")
            found = Timestamped(found.count + 1, stamp.n, at)
        except (TimestampRefused, CertificateUnusable) as problem:
            seal = stamp.n if stamp else None
            wrong.append(
                Finding("checkpoint", "timestamp", id=number, seal=seal, why=str(problem.facts["why"]))
            )
    return found, wrong


def note_of(folder: Path, ledger: str, n: int) -> str | None:
    """The signed note of this seal as the checkpoint file has it."""
    number, line = next(lines_from(checkpoints.file_of(folder, ledger), n), (None, b""))
    try:
        return str(json.loads(line)["tree"]["note"]) if number == n else None
    except NOT_READ:
        return None


def _read(line: bytes) -> Timestamp | None:
    try:
        return Timestamp.of(json.loads(line))
    except NOT_READ:
        return None


def _stamps(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage


def _said(problem: Exception) -> str:
    """Without what a library adds of itself."""
    reply = getattr(problem, "response", None)
    return f"HTTP {reply.status_code}" if reply is not None else type(problem).__name__
