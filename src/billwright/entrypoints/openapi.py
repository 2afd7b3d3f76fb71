"""Which OpenAPI document does Billwright publish as a whole?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI

from billwright import __version__
from billwright.surfaces.manager_api.app import create_manager_api
from billwright.surfaces.platform_api.app import create_platform_api

JsonObject = dict[str, Any]

_SURFACES: Mapping[str, tuple[str, str, Callable[[], FastAPI]]] = {
    "platform": ("Platform", "/api/billing", create_platform_api),
    "manager": ("Manager", "/api", create_manager_api),
}


def document_text(surface: str) -> str:
    """The document of `platform`, `manager` or of `all` surfaces merged, as readable JSON."""
    document = merged_document() if surface == "all" else _document(surface)
    return json.dumps(document, indent=2, ensure_ascii=False)


def merged_document() -> JsonObject:
    """Every surface in one document, its paths under the surface's address.

    A component whose name means another thing in another surface is renamed after its surface, and
    what a surface asks of all its operations is written at each of them.
    """
    merged: JsonObject = {
        "openapi": "3.1.0",
        "info": {"title": "Billwright", "version": __version__},
        "tags": [],
        "paths": {},
        "components": {},
    }
    for name, (title, address, _) in _SURFACES.items():
        document = _without_clashes(_document(name), merged=merged, title=title)
        for kind, components in document.get("components", {}).items():
            merged["components"].setdefault(kind, {}).update(components)
        for path, item in document["paths"].items():
            for operation in item.values():
                operation.setdefault("security", document.get("security", []))
            merged["paths"][address + path] = item
        known = {tag["name"] for tag in merged["tags"]}
        merged["tags"] += [tag for tag in document.get("tags", ()) if tag["name"] not in known]
    return merged


def _document(surface: str) -> JsonObject:
    _, address, create = _SURFACES[surface]
    return {**create().openapi(), "servers": [{"url": address}]}


def _without_clashes(document: JsonObject, *, merged: JsonObject, title: str) -> JsonObject:
    text = json.dumps(document)
    renamed: list[tuple[str, str]] = []
    for kind, components in document.get("components", {}).items():
        known = merged["components"].get(kind, {})
        for name, component in components.items():
            if name in known and known[name] != component:
                renamed.append((kind, name))
                reference = f"#/components/{kind}/{name}"
                text = text.replace(f'"{reference}"', f'"#/components/{kind}/{title}{name}"')
    result: JsonObject = json.loads(text)
    for kind, name in renamed:
        result["components"][kind][f"{title}{name}"] = result["components"][kind].pop(name)
    return result
