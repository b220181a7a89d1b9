"""Files for dispute evidence: their names, kinds and sizes. The sandbox does not keep the bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.gateways.stripe_sandbox.errors import malformed
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World

TYPES = {"pdf": "pdf", "png": "png", "jpg": "jpg", "jpeg": "jpg"}
LARGEST = 5 * 1024 * 1024


def create(world: World, params: dict[str, Any]) -> Object:
    """POST /v1/files (multipart)"""
    upload = params["file"]
    if not isinstance(upload, tuple):
        raise malformed("The file must be sent as multipart/form-data.", param="file")
    name, content = upload
    kind = TYPES.get(Path(name).suffix.lower().lstrip("."))
    if params["purpose"] == "dispute_evidence" and (kind is None or len(content) > LARGEST):
        raise malformed("Dispute evidence must be a PDF, PNG or JPEG of at most 5 MB.", param="file")
    id_ = world.id("file")
    return world.add(
        {
            "id": id_,
            "object": "file",
            "created": world.now,
            "expires_at": None,
            "filename": name,
            "links": {"object": "list", "data": [], "has_more": False, "url": f"/v1/file_links?file={id_}"},
            "purpose": params["purpose"],
            "size": len(content),
            "title": None,
            "type": kind,
            "url": None,
        }
    )


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/files/{id}"""
    return world.find("file", id)


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/files"""
    return listed(world, "file", params, "/v1/files")
