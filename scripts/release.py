"""What is handed out of a version: the wheel, what is inside it and below it, and the hashes of both.

    python -m scripts.release [--into dist]

It is made from the last commit and the locked packages and nothing else, so whoever has the commit makes the same
bytes with the same Python: `SHA256SUMS` can be held against another's. Beside the wheel lie `sbom.cdx.json` (CycloneDX
1.6: every package that the desk runs on here, as it is locked, with licence and hashes), `requirements.lock` to install
those and no others, and `NOTES.md`, the version's part of the changelog.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
SECTION = re.compile(r"^## \[", re.MULTILINE)
Pins = dict[
    tuple[str, str], list[str]
]  # by canonical name and version: the SHA-256 of each file that may be taken


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout.strip()


def release(into: Path, commit: str = "HEAD") -> list[Path]:
    """Make everything of `commit` in the folder `into`; returns the files."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = checked_out(commit, Path(folder))
        made_at = int(git("log", "-1", "--format=%ct", commit))
        wheel = build(source, into, made_at)
        pins = locked((source / "requirements.lock").read_text(encoding="utf-8"))
        files = {
            "requirements.lock": (source / "requirements.lock").read_text(encoding="utf-8"),
            "NOTES.md": notes((source / "CHANGELOG.md").read_text(encoding="utf-8"), version_of(wheel)),
            "sbom.cdx.json": sbom(wheel, pins, made_at),
        }
    for name, content in files.items():
        (into / name).write_text(content, encoding="utf-8")
    made = [wheel, *(into / name for name in files)]
    sums = "".join(f"{sha256(path)}  {path.name}\n" for path in sorted(made))
    (into / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return [*made, into / "SHA256SUMS"]


def checked_out(commit: str, folder: Path) -> Path:
    """The files of a commit, with the same rights wherever this runs."""
    archive = folder / "source.tar"
    git("-c", "tar.umask=0022", "archive", "--format=tar", f"--output={archive}", commit)
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "source", filter="tar")
    return folder / "source"


def build(source: Path, into: Path, made_at: int) -> Path:
    """The wheel. Every file in it is of the second `made_at`, in UTC."""
    known = os.umask(0o022)
    try:
        subprocess.run(
            [
                *PIP,
                "wheel",
                "--no-deps",
                "--no-build-isolation",
                "--no-cache-dir",
                "--wheel-dir",
                into,
                source,
            ],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(made_at)},
            check=True,
        )
    finally:
        os.umask(known)
    return max(into.glob("*.whl"), key=lambda path: path.stat().st_mtime)


def version_of(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def locked(lock: str) -> Pins:
    """Each package of the lock file; some in several versions, for different Pythons."""
    pins: Pins = {}
    for block in re.split(r"\n(?=\S)", lock):
        if found := LOCKED.match(block):
            pins[canonicalize_name(found["name"]), found["version"]] = HASH.findall(block)
    return pins


def below(name: str) -> list[Distribution]:
    """What `name` runs on here, itself left out: what it asks for, what that asks for, and so on, by name."""
    found: dict[str, Distribution] = {}
    asked = list(_requirements(distribution(name), frozenset()))
    while asked:
        each = asked.pop()
        key = canonicalize_name(each.name)
        known = key in found
        found[key] = distribution(each.name)
        if not known or each.extras:
            asked += [more for more in _requirements(found[key], frozenset(each.extras)) if _new(more, found)]
    return [found[key] for key in sorted(found)]


def _new(requirement: Requirement, found: dict[str, Distribution]) -> bool:
    return canonicalize_name(requirement.name) not in found or bool(requirement.extras)


def _requirements(package: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    """What is asked for on this machine, and by these of its extras."""
    for each in package.requires or ():
        requirement = Requirement(each)
        if requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}
        ):
            yield requirement


def sbom(wheel: Path, pins: Pins, made_at: int) -> str:
    """CycloneDX 1.6 as JSON. Raises `LookupError` if a package that runs here is not locked, or in another version."""
    desk = Component(
        name="escrow-desk",
        version=version_of(wheel),
        type=ComponentType.APPLICATION,
        bom_ref="escrow-desk",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256(wheel))],
        licenses=[LicenseFactory().make_from_string(_license(distribution("escrow-desk")))],
    )
    parts = [_component(each, pins) for each in below("escrow-desk")]
    bom = Bom(components=parts, serial_number=uuid.uuid5(uuid.NAMESPACE_OID, sha256(wheel)))
    bom.metadata.component = desk
    bom.metadata.timestamp = datetime.fromtimestamp(made_at, UTC)
    python = f"{sys.version_info.major}.{sys.version_info.minor} on {sys.platform}"
    bom.metadata.properties.add(Property(name="escrow-desk:python", value=python))
    bom.register_dependency(desk, parts)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def _component(package: Distribution, pins: Pins) -> Component:
    name = canonicalize_name(package.name)
    version = package.version
    if (name, version) not in pins:
        raise LookupError(f"{name} {version} is installed and not locked: run `make environment`.")
    purl = PackageURL(type="pypi", name=name, version=version)
    words = _license(package)
    return Component(
        name=name,
        version=version,
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in pins[name, version]],
        licenses=[LicenseFactory().make_from_string(words)] if words else [],
    )


def _license(package: Distribution) -> str:
    """What its makers say: an SPDX expression if there is one, else the name in a classifier or in a short field."""
    said = dict(package.metadata.json)
    classifiers = [
        str(each).rsplit(" :: ", 1)[-1]
        for each in said.get("classifier", [])
        if str(each).startswith("License :: ") and str(each).count(" :: ") > 1
    ]
    field = str(said.get("license", "")).strip()
    return str(
        said.get("license_expression") or ", ".join(classifiers) or (field if "\n" not in field else "")
    )


def notes(changelog: str, version: str) -> str:
    """The part of the changelog about `version`. Raises `LookupError`."""
    for part in SECTION.split(changelog)[1:]:
        if part.startswith(f"{version}]"):
            return f"# Escrow Desk {part.replace(']', '', 1).strip()}\n"
    raise LookupError(f"The changelog has no part about {version}.")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="the folder for the files (dist)")
    into = parser.parse_args().into
    if git("status", "--porcelain"):
        print("What is not committed is not in the release.", file=sys.stderr)
    for path in release(into):
        print(f"{sha256(path)}  {path.name}")


if __name__ == "__main__":
    main()
