"""What `deploy/` starts, sets and asks for is the desk's, and whoever reads such files here is content with them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.config import Settings
from tests.test_documents import FOREIGN, command_of

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8"))
OBJECTS = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "escrow-desk.yaml").read_text(encoding="utf-8")))
OTHERS = {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD_FILE", "PATH", "PYTHONDONTWRITEBYTECODE"}


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for each in OBJECTS if each["kind"] == "Deployment"]


def started() -> list[list[str]]:
    units = [
        re.findall(r"^ExecStart=\S+/escrow-desk (.+)$", each.read_text(), re.MULTILINE)[0] for each in UNITS
    ]
    desks = [each["command"] for name, each in COMPOSE["services"].items() if name != "database"]
    return [shlex.split(each) for each in units] + desks + [pod["containers"][0]["args"] for pod in pods()]


@pytest.mark.parametrize("words", started(), ids=" ".join)
def test_what_is_started_is_a_command(words: list[str]) -> None:
    command, rest = command_of(list(words))
    assert set(rest) <= {option for each in command.params for option in each.opts}


def test_every_variable_is_the_desks() -> None:
    ours = {
        str(each.validation_alias or f"ESCROW_DESK_{field}").upper()
        for field, each in Settings.model_fields.items()
    }
    example = re.findall(r"^(\w+)=", (DEPLOY / "systemd/escrow-desk.env.example").read_text(), re.MULTILINE)
    container = re.findall(
        r"^(?:ENV)? +(\w+)=", (DEPLOY / "container/Containerfile").read_text(), re.MULTILINE
    )
    compose = [name for each in COMPOSE["services"].values() for name in each.get("environment", {})]
    cluster = [each["name"] for pod in pods() for each in pod["containers"][0].get("env", [])]
    assert len(example) > 5
    assert {*example, *container, *compose, *cluster} <= ours | FOREIGN | OTHERS


def test_nothing_runs_as_root_or_writes_outside_its_home() -> None:
    for unit in UNITS:
        said = unit.read_text()
        assert "User=escrow-desk" in said
        assert "ProtectSystem=strict" in said
        assert "NoNewPrivileges=true" in said
    container = (DEPLOY / "container" / "Containerfile").read_text()
    assert "\nUSER 10001\n" in container
    assert "HEALTHCHECK" in container
    assert "--require-hashes" in container
    for name, service in COMPOSE["services"].items():
        assert name == "database" or (service["read_only"] and service["cap_drop"] == ["ALL"])
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"]
        assert all(each["securityContext"]["readOnlyRootFilesystem"] for each in pod["containers"])


def test_health_is_asked_where_it_is_answered() -> None:
    probes = [pods()[0]["containers"][0][name]["httpGet"] for name in ("livenessProbe", "readinessProbe")]
    assert [(each["path"], each["port"]) for each in probes] == [("/healthz", 8501), ("/readyz", 8501)]
    assert Settings.model_fields["port"].default == 8501


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_reads_the_units(unit: Path, tmp_path: Path) -> None:
    """With a program that is there: the desk is not installed in /opt."""
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/escrow-desk/bin/escrow-desk", "/bin/true"))
    read = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    ours = [line for line in read.stderr.splitlines() if unit.name in line]
    assert ours == []


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx here")
def test_nginx_reads_its_configuration(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=desk.example.com"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    site = (DEPLOY / "proxy" / "nginx.conf").read_text()
    site = site.replace("/etc/ssl/certs/desk.example.com.pem", str(certificate))
    site = site.replace("/etc/ssl/private/desk.example.com.key", str(key))
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{site}\n}}\n")
    read = subprocess.run(["nginx", "-t", "-c", whole], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
