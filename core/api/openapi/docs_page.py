"""The API's page for people: the OpenAPI description as plain HTML, with nothing loaded from anywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from core.api.models.events import KINDS

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:58rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #d8dee6;padding-bottom:.3rem}
article{margin:1.2rem 0;padding:.8rem 1rem;border:1px solid #d8dee6;border-radius:8px}
h3{margin:0;font:600 15px ui-monospace,monospace}
b{display:inline-block;min-width:3.4rem;color:#0b5cad}
code,pre{font:14px/1.5 ui-monospace,monospace;background:#f3f5f8;border-radius:4px}
code{padding:.1rem .3rem}pre{padding:.8rem 1rem;overflow-x:auto}
table{border-collapse:collapse;margin-top:.5rem}td{padding:.15rem .8rem .15rem 0;vertical-align:top;font-size:14px}
p{margin:.4rem 0}summary{cursor:pointer;color:#0b5cad;font-size:14px}
"""
SIGNING = """t = unix time in seconds
v1 = hex HMAC-SHA256(signing secret, lines joined by \\n):
  desk.v1
  t
  METHOD
  path and query as sent, /api/v1/…
  Idempotency-Key, or an empty line
  hex SHA-256 of the body
Desk-Signature: t=…,v1=…"""
EVENTS = """POST to your endpoint: {"id": "evt_17", "kind": "milestone.status_changed", "sequence": 17,
                        "created_at": …, "data": {"project": 12, "bid_reference": …, "milestone": 31, …}}
Desk-Signature: t=…,v1=hex HMAC-SHA256(endpoint secret, t + "." + body)"""


def render(schema: Mapping[str, Any]) -> str:
    """One page for the whole description."""
    sections: dict[str, list[str]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["Other"])[0]
            sections.setdefault(tag, []).append(_operation(schema, method, path, operation))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(each)}" for tag, each in sections.items())
    title = escape(schema["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{title} API</h1>{_paragraphs(schema['info']['description'])}"
        f'<p>For programs: <a href="openapi.json">openapi.json</a></p>'
        f"<h2>Signing a request</h2><pre>{escape(SIGNING)}</pre>"
        "<p>A request may be five minutes old or early. Sent again under the same Idempotency-Key it is answered "
        "again, not done again. A refusal did nothing: its key may be used again.</p>"
        f"{body}<h2>What you are told</h2><p>Delivered at least once and in any order: <code>sequence</code> counts "
        "the events of your endpoint from 1 without a gap. Answer 2xx within ten seconds. What you missed is in the "
        f"log of events, and can be told again.</p><pre>{escape(EVENTS)}</pre>"
        f"<table>{''.join(_cells(kind, each.words) for kind, each in KINDS.items())}</table></body></html>"
    )


def _cells(name: str, words: str) -> str:
    return f"<tr><td><code>{escape(name)}</code></td><td>{escape(words)}</td></tr>"


def _operation(schema: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> str:
    rows = [
        _row(
            each["name"],
            _kind(schema, each["schema"]),
            each.get("required", False),
            each.get("description", ""),
        )
        for each in operation.get("parameters", [])
    ]
    example = ""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        rows += _fields(schema, content["schema"])
        example += _example(schema, content, f"{method.upper()} {path}")
    status, answer = next((status, each) for status, each in operation["responses"].items() if status < "300")
    for media_type, content in answer["content"].items():
        example += (
            _example(schema, content, status)
            if media_type == "application/json"
            else f"<pre>{status} {media_type}</pre>"
        )
    return (
        f"<article><h3><b>{method.upper()}</b> {escape(path)}</h3><p><strong>{escape(operation['summary'])}.</strong> "
        f"{escape(operation.get('description', ''))}</p><table>{''.join(rows)}</table>{_refusals(operation)}"
        f"<details><summary>Example</summary>{example}</details></article>"
    )


def _example(schema: Mapping[str, Any], content: Mapping[str, Any], title: str) -> str:
    """Its own, out of one project's life; else that of its shape."""
    found = content.get("example") or _resolved(schema, content["schema"]).get("examples", [{}])[0]
    return f"<pre>{escape(title)}\n{escape(json.dumps(found, indent=2, ensure_ascii=False))}</pre>"


def _refusals(operation: Mapping[str, Any]) -> str:
    """What this operation in particular may be refused with, in the words of the desk."""
    rows = [
        _cells(f"{status} {name}", each["value"]["detail"])
        for status, answer in operation["responses"].items()
        for content in answer["content"].values()
        for name, each in content.get("examples", {}).items()
    ]
    return f"<details><summary>Refused</summary><table>{''.join(rows)}</table></details>" if rows else ""


def _fields(schema: Mapping[str, Any], of: Mapping[str, Any], under: str = "") -> list[str]:
    shape = _resolved(schema, of)
    needed, rows = shape.get("required", []), list[str]()
    for name, field in shape.get("properties", {}).items():
        inner = _resolved(schema, field.get("items", field))
        rows.append(_row(under + name, _kind(schema, field), name in needed, inner.get("description", "")))
        if "properties" in inner:
            mark = "[]." if field.get("type") == "array" else "."
            rows += _fields(schema, inner, f"{under}{name}{mark}")
    return rows


def _resolved(schema: Mapping[str, Any], of: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in of:
        return of
    found: Mapping[str, Any] = schema["components"]["schemas"][of["$ref"].rpartition("/")[2]]
    return found


def _kind(schema: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    """What may stand there: the names to choose from, or the type."""
    if "anyOf" in field:
        return " · ".join(filter(None, (_kind(schema, each) for each in field["anyOf"])))
    shape = _resolved(schema, field)
    if "enum" in shape:
        return " · ".join(map(str, shape["enum"]))
    kind = str(shape.get("format", shape.get("type", "")))
    return "" if kind in ("object", "null") else kind


def _row(name: str, kind: str, needed: bool, words: str) -> str:
    cells = (f"<code>{escape(name)}</code>", escape(kind), "required" if needed else "", escape(words))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(each)}</p>" for each in text.split("\n\n"))
