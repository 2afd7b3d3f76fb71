"""Does the `type` of a problem lead to a page that explains it?"""

from __future__ import annotations

import re

import httpx2
from fastapi import FastAPI

from billwright.surfaces.web.problems import PROTOCOL_CODES
from tests.surfaces.platform_api.conftest import client_of

LISTED_CODE = re.compile(r"- `(\w+)`")


async def test_the_type_of_a_refusal_is_its_page(client: httpx2.AsyncClient):
    refused = (await client.get("/plans/nothing")).json()
    assert refused["type"] == "/api/billing/problems/plan_unknown"
    page = await client.get("/problems/plan_unknown")
    assert page.json() == {
        "type": refused["type"],
        "code": "plan_unknown",
        "title": refused["title"],
        "status": 404,
        "meaning": "There is no plan {plan_code}.",
    }


async def test_every_code_of_the_document_has_a_page_for_everybody(application: FastAPI):
    codes = {*LISTED_CODE.findall(str(application.openapi())), *PROTOCOL_CODES}
    assert len(codes) > 100
    async with client_of(application) as anybody:
        for code in codes:
            assert (await anybody.get(f"/problems/{code}")).status_code == 200, code


async def test_what_is_no_code_has_no_page(client: httpx2.AsyncClient):
    answer = await client.get("/problems/unheard_of")
    assert (answer.status_code, answer.json()["code"]) == (404, "problem_type_unknown")
