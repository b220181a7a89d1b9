"""What `make release` hands out: the same bytes from the same commit, and an SBOM that names what the desk runs on."""

from __future__ import annotations

import json
import os
import subprocess
import time
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts import release

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    release.release(folder)
    return folder


def test_the_same_commit_makes_the_same_bytes(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    time.tzset()
    known = os.umask(0o077)
    try:
        release.release(tmp_path)
    finally:
        os.umask(known)
        monkeypatch.undo()
        time.tzset()
    sums = (made / "SHA256SUMS").read_text()
    assert (tmp_path / "SHA256SUMS").read_text() == sums
    assert len(sums.splitlines()) == 4
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True)


def test_the_sbom_is_valid_and_names_what_the_desk_runs_on_and_nothing_else(made: Path) -> None:
    text = (made / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    told = json.loads(text)
    (wheel,) = made.glob("*.whl")
    assert told["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": release.sha256(wheel)}]
    parts = {part["name"]: part for part in told["components"]}
    assert {
        "streamlit",
        "sqlalchemy",
        "psycopg",
        "psycopg-binary",
        "pandas",
        "plotly",
        "stripe",
    } <= parts.keys()
    assert "authlib" in parts  # of an extra that the desk asks for
    assert not {"pytest", "moto", "hypothesis", "ruff", "pip", "escrow-desk"} & parts.keys()
    for name, part in parts.items():
        assert part["hashes"], name
        assert part["licenses"], name
        assert not any("GPL" in str(each) and "LGPL" not in str(each) for each in part["licenses"]), name


def test_what_is_not_locked_is_in_no_sbom(made: Path) -> None:
    (wheel,) = made.glob("*.whl")
    pins = release.locked((ROOT / "requirements.lock").read_text())
    some = {pin: hashes for pin, hashes in pins.items() if pin[0] != "stripe"}
    with pytest.raises(LookupError, match=r"stripe .* is installed and not locked"):
        release.sbom(wheel, some, 0)


def test_every_installed_package_is_found_by_its_locked_name() -> None:
    pins = release.locked((ROOT / "requirements.lock").read_text())
    ours = {release.canonicalize_name(each.name) for each in distributions()} - {"escrow-desk", "pip"}
    assert ours <= {name for name, _ in pins}


def test_the_wheel_and_the_notes_are_of_this_version(made: Path) -> None:
    (wheel,) = made.glob("*.whl")
    version = release.version_of(wheel)
    with zipfile.ZipFile(wheel) as packed:
        assert f"escrow_desk-{version}.dist-info/METADATA" in packed.namelist()
    notes = (made / "NOTES.md").read_text()
    assert notes.startswith(f"# Escrow Desk {version} ")
    with pytest.raises(LookupError, match="no part about"):
        release.notes("## [0.1.0]\n\nThe first.", "9.9.9")
    assert (
        release.notes("# Changelog\n\n## [2.0.0]\n\nB.\n\n## [1.0.0]\n\nA.", "2.0.0")
        == "# Escrow Desk 2.0.0\n\nB.\n"
    )
