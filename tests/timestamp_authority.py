"""A timestamp authority for tests: certificates of its own, and `openssl ts` behind HTTP on loopback."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""


@dataclass
class TimestampAuthority:
    """`root` and `signer` are files with its certificates. `answer`, where it is set, is sent instead of its own."""

    folder: Path
    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    answer: bytes | None = None
    status: int = 200

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    @property
    def signer(self) -> Path:
        return self.folder / "signer.pem"

    @property
    def fingerprint(self) -> str:
        return x509.load_pem_x509_certificate(self.signer.read_bytes()).fingerprint(hashes.SHA256()).hex()

    def stamp(self, query: bytes) -> bytes:
        self.asked.append(query)
        if self.answer is not None:
            return self.answer
        with tempfile.NamedTemporaryFile() as file:
            file.write(query)
            file.flush()
            command = f"openssl ts -reply -config {self.folder}/ts.cnf -queryfile {file.name}"
            return subprocess.run(command.split(), check=True, capture_output=True).stdout


@contextmanager
def timestamp_authority(folder: Path) -> Iterator[TimestampAuthority]:
    folder.mkdir()
    authority = TimestampAuthority(folder)
    _certificates(folder)
    (folder / "ts.cnf").write_text(CONFIGURATION.format(folder=folder))
    (folder / "serial").write_text("01\n")

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reply = authority.stamp(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(authority.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        authority.url = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield authority
        finally:
            server.shutdown()
            thread.join()


def _certificates(folder: Path) -> None:
    """A root and the certificate that it gave for timestamps alone."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, said)]) for said in ("Root", "TSA"))
    root = (
        _certificate(root_name, root_name, root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    signer = (
        _certificate(root_name, name, key)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
    (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    (folder / "signer.pem").write_bytes(signer.public_bytes(serialization.Encoding.PEM))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "signer.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))


def _certificate(
    issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
    )
