"""Which OpenAPI document does Billwright publish as a whole?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
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
    """Every surface in one document."""
    return merged(
        [(title, address, _document(name)) for name, (title, address, _) in _SURFACES.items()]
    )


def merged(documents: Iterable[tuple[str, str, JsonObject]]) -> JsonObject:
    """One document from several, each with its surface's title and address.

    Paths are written under the address. A component whose name means another thing in a former
    surface is renamed after its own, and what a surface asks of all its operations is written at each.
    """
    whole: JsonObject = {
        "openapi": "3.1.0",
        "info": {"title": "Billwright", "version": __version__},
        "tags": [],
        "paths": {},
        "components": {},
    }
    for title, address, given in documents:
        document = _without_clashes(given, known=whole["components"], title=title)
        for kind, components in document.get("components", {}).items():
            whole["components"].setdefault(kind, {}).update(components)
        for path, item in document["paths"].items():
            for operation in item.values():
                operation.setdefault("security", document.get("security", []))
            whole["paths"][address + path] = item
        known = {tag["name"] for tag in whole["tags"]}
        whole["tags"] += [tag for tag in document.get("tags", ()) if tag["name"] not in known]
    return whole


def _document(surface: str) -> JsonObject:
    _, address, create = _SURFACES[surface]
    return {**create().openapi(), "servers": [{"url": address}]}


def _without_clashes(document: JsonObject, *, known: JsonObject, title: str) -> JsonObject:
    text = json.dumps(document)
    renamed: list[tuple[str, str]] = []
    for kind, components in document.get("components", {}).items():
        others = known.get(kind, {})
        for name, component in components.items():
            if name in others and others[name] != component:
                renamed.append((kind, name))
                reference = f"#/components/{kind}/{name}"
                text = text.replace(f'"{reference}"', f'"#/components/{kind}/{title}{name}"')
    result: JsonObject = json.loads(text)
    for kind, name in renamed:
        result["components"][kind][f"{title}{name}"] = result["components"][kind].pop(name)
    return result
