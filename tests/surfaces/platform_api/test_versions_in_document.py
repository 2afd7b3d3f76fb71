"""Can everything that changes be changed without overwriting what the caller has not seen?"""

from __future__ import annotations

from typing import Any

import pytest

from billwright.surfaces.platform_api.app import create_platform_api

CHANGING = ("patch", "put", "delete")
IF_MATCH = "#/components/parameters/IfMatch"

# What is changed or taken away without a version, and why.
UNVERSIONED = {
    "/api-keys/{api_key_id}": "its name is all that changes, and nothing rests on that",
    "/entitlement-overrides/{override_id}": "it only goes away; another one takes its place",
    "/payment-methods/{payment_method_id}": "it only goes away; what it is does not change",
}
# Where what is changed is answered, if not at the same path.
ANSWERED_AT = {
    "/features/{feature_code}/default": "/features/{feature_code}",
    "/subscriptions/{subscription_id}/collection": "/subscriptions/{subscription_id}",
}


@pytest.fixture(scope="module")
def paths() -> dict[str, dict[str, Any]]:
    return create_platform_api().openapi()["paths"]


def changed_paths(paths: dict[str, dict[str, Any]]) -> list[str]:
    """Where resources are changed in place."""
    return [
        path
        for path, methods in paths.items()
        if any(method in methods for method in CHANGING) and path not in UNVERSIONED
    ]


def tells_its_version(operation: dict[str, Any]) -> bool:
    return any(
        "ETag" in response.get("headers", {})
        for status, response in operation["responses"].items()
        if status.startswith("2")
    )


def test_every_change_in_place_can_name_the_version_that_it_is_based_on(paths):
    for path in changed_paths(paths):
        for method in CHANGING:
            if method in paths[path]:
                operation = paths[path][method]
                assert {"$ref": IF_MATCH} in operation["parameters"], (method, path)
                assert "412" in operation["responses"], (method, path)


def test_what_can_be_changed_tells_its_version(paths):
    for path in changed_paths(paths):
        answered_at = ANSWERED_AT.get(path, path)
        assert tells_its_version(paths[answered_at]["get"]), path
        for method in ("patch", "put"):
            if method in paths[path]:
                assert tells_its_version(paths[path][method]), (method, path)


def test_what_needs_no_version_is_still_there(paths):
    for path in (*UNVERSIONED, *ANSWERED_AT):
        assert any(method in paths[path] for method in CHANGING), path
