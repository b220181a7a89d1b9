"""The client's methods and the Postman collection, made from the description of the API.

python -m scripts.client     writes both into client/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from core.api.http import app
from core.desk import Desk

ROOT = Path(__file__).resolve().parent.parent
METHODS = ROOT / "client" / "escrow_desk_client" / "operations.py"
COLLECTION = ROOT / "client" / "escrow-desk.postman_collection.json"
HEAD = '''"""A method for each operation of the API, made by `python -m scripts.client` from its description."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Operations(ABC):
    """`key`: the idempotency key; a new one is drawn without it."""

    @abstractmethod
    def get(self, path: str, **query: Any) -> Any: ...

    @abstractmethod
    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any: ...

    @abstractmethod
    def upload(
        self, path: str, fields: dict[str, str], file: tuple[str, bytes, str], *, key: str | None = None
    ) -> Any: ...
'''
SIGNING = """const at = Math.floor(Date.now() / 1000).toString();
const post = pm.request.method === "POST";
const body = post ? pm.variables.replaceIn(pm.request.body.raw) : "";
const key = post ? pm.variables.replaceIn("{{$guid}}") : "";
const target = pm.variables.replaceIn(pm.request.url.getPathWithQuery());
const lines = ["desk.v1", at, pm.request.method, target, key, CryptoJS.SHA256(body).toString()];
const mac = CryptoJS.HmacSHA256(lines.join("\\n"), pm.variables.get("signing_secret")).toString();
pm.request.headers.upsert({key: "Desk-Signature", value: `t=${at},v1=${mac}`});
if (post) pm.request.headers.upsert({key: "Idempotency-Key", value: key});"""


def description() -> dict[str, Any]:
    return app.application(cast(Desk, None), demo_too=True).openapi()


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _of(operation: dict[str, Any], place: str) -> list[dict[str, Any]]:
    return [each for each in operation.get("parameters", []) if each["in"] == place]


def methods() -> str:
    """The module with a method for each operation."""
    found = (_method(*each) for each in operations(description()))
    return HEAD + "".join(f"\n{each}" for each in found)


def _method(path: str, method: str, operation: dict[str, Any]) -> str:
    types = {"integer": "int", "string": "str"}
    own = [
        f"{each['name']}: {types[each['schema'].get('type', 'string')]}" for each in _of(operation, "path")
    ]
    address = f'f"{path}"' if own else f'"{path}"'
    asked = _of(operation, "query")
    if method == "GET":
        named = [
            f"{each['name']}: Any{'' if each.get('required') else ' = None'}"
            for each in sorted(asked, key=lambda each: not each.get("required"))
        ]
        given = "".join(f", {each['name']}={each['name']}" for each in asked)
        parameters, call = [*own, *(["*"] if named else []), *named], f"self.get({address}{given})"
    elif "multipart/form-data" in operation["requestBody"]["content"]:
        parameters = [
            *own,
            "fields: dict[str, str]",
            "file: tuple[str, bytes, str]",
            "*",
            "key: str | None = None",
        ]
        call = f"self.upload({address}, fields, file, key=key)"
    else:
        parameters = [*own, "body: Mapping[str, Any]", "*", "key: str | None = None"]
        call = f"self.post({address}, body, key=key)"
    words = operation["summary"].rstrip(".")
    return (
        f"    def {operation['operationId']}({', '.join(['self', *parameters])}) -> Any:\n"
        f'        """{words}."""\n        return {call}\n'
    )


def collection() -> str:
    """Every operation with its example, signed before it is sent."""
    schema = description()
    folders: dict[str, list[dict[str, Any]]] = {}
    for path, method, operation in operations(schema):
        folders.setdefault(operation["tags"][0], []).append(_request(schema, path, method, operation))
    made = {
        "info": {
            "name": "Escrow Desk",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
            "description": "Set api_key and signing_secret, from `escrow-desk api-key create`. Each request is signed.",
        },
        "variable": [
            {"key": "base", "value": "http://127.0.0.1:8600"},
            {"key": "api_key", "value": ""},
            {"key": "signing_secret", "value": ""},
        ],
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{api_key}}"}]},
        "event": [
            {"listen": "prerequest", "script": {"type": "text/javascript", "exec": SIGNING.splitlines()}}
        ],
        "item": [{"name": tag, "item": each} for tag, each in folders.items()],
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _request(schema: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    segments = ["api", "v1", *(re.sub(r"^{(.+)}$", r":\1", each) for each in path.strip("/").split("/"))]
    query = [
        {"key": each["name"], "value": "", "disabled": not each.get("required")}
        for each in _of(operation, "query")
    ]
    url: dict[str, Any] = {
        "raw": "{{base}}/" + "/".join(segments),
        "host": ["{{base}}"],
        "path": segments,
        "variable": [{"key": each["name"], "value": "1"} for each in _of(operation, "path")],
    } | ({"query": query} if query else {})
    request: dict[str, Any] = {"method": method, "url": url, "description": operation["description"]}
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        example = schema["components"]["schemas"][name].get("examples", [{}])[0]
        request["header"] = [{"key": "Content-Type", "value": "application/json"}]
        request["body"] = {"mode": "raw", "raw": json.dumps(example, indent=1, ensure_ascii=False)}
    elif content:
        request["description"] += (
            " Postman cannot sign a form before it is put together: send files with the client."
        )
        request["body"] = {"mode": "raw", "raw": ""}
    return {"name": operation["summary"], "request": request}


if __name__ == "__main__":
    METHODS.write_text(methods(), encoding="utf-8")
    COLLECTION.write_text(collection(), encoding="utf-8")
