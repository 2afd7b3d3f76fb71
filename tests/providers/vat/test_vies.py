"""Is only a clear answer of VIES an answer?"""

from __future__ import annotations

import pytest

from billwright.features.tax.model import VatId
from billwright.features.tax.port import VatIdAnswer
from billwright.providers.vat.vies.register import PUBLIC_URL, ViesRegister
from tests.providers.vat.vies_server import fake_vies

FRENCH = VatId("FR", "FR61954506077")
GREEK = VatId("GR", "EL094259216")
VALID, INVALID, UNAVAILABLE = VatIdAnswer.VALID, VatIdAnswer.INVALID, VatIdAnswer.UNAVAILABLE


def about(number: str = "61954506077", *, country: str = "FR", **facts: object) -> dict:
    return {
        "countryCode": country,
        "vatNumber": number,
        "requestDate": "2026-01-15T12:00:00.000Z",
        "requestIdentifier": "",
        "name": "---",
        "address": "---",
        **facts,
    }


def failed(*errors: str, **facts: object) -> dict:
    wrappers = [{"error": error} for error in errors]
    return {"actionSucceed": False, "errorWrappers": wrappers, **facts}


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (200, about(valid=True), VALID),
        (200, {"valid": True}, VALID),
        (200, about(valid=False), INVALID),
        (200, about(valid=False, userError="INVALID"), INVALID),
        (400, failed("INVALID_INPUT"), INVALID),
        (200, failed("MS_UNAVAILABLE"), UNAVAILABLE),
        (200, failed("MS_UNAVAILABLE", valid=False), UNAVAILABLE),
        (200, about(valid=False, userError="MS_UNAVAILABLE"), UNAVAILABLE),
        (200, about(valid=False, userError=["MS_UNAVAILABLE"]), UNAVAILABLE),
        (200, failed("INVALID_INPUT", "MS_UNAVAILABLE"), UNAVAILABLE),
        (200, failed("MS_MAX_CONCURRENT_REQ"), UNAVAILABLE),
        (200, failed("TIMEOUT"), UNAVAILABLE),
        (200, failed(), UNAVAILABLE),
        (200, {"actionSucceed": False, "errorWrappers": "broken"}, UNAVAILABLE),
        (500, about(valid=False), UNAVAILABLE),
        (503, "<html>Service Unavailable</html>", UNAVAILABLE),
        (429, failed("GLOBAL_MAX_CONCURRENT_REQ"), UNAVAILABLE),
        (302, about(valid=True), UNAVAILABLE),
        (404, "", UNAVAILABLE),
        (200, "", UNAVAILABLE),
        (200, "not JSON", UNAVAILABLE),
        (200, "[]", UNAVAILABLE),
        (200, "null", UNAVAILABLE),
        (200, about(valid="false"), UNAVAILABLE),
        (200, about(valid=None), UNAVAILABLE),
        (200, about(), UNAVAILABLE),
        (200, about("00000000000", valid=True), UNAVAILABLE),
        (200, about("00000000000", valid=False), UNAVAILABLE),
        (200, about(country="DE", valid=True), UNAVAILABLE),
    ],
)
async def test_only_a_clear_answer_counts(status, body, answer):
    async with fake_vies({"61954506077": (status, body)}) as vies:
        assert await ViesRegister(vies.url).check(FRENCH) is answer


async def test_the_question_has_the_forms_country_and_number():
    body = about("094259216", country="EL", valid=True)
    async with fake_vies({"094259216": (200, body)}) as vies:
        assert await ViesRegister(f"{vies.url}/").check(GREEK) is VALID
    assert vies.asked == [
        (
            "POST /check-vat-number HTTP/1.1",
            {"countryCode": "EL", "vatNumber": "094259216"},
        )
    ]


async def test_silence_is_unavailable():
    async with fake_vies({}) as vies:
        assert await ViesRegister(vies.url, timeout_seconds=1).check(FRENCH) is UNAVAILABLE
    assert len(vies.asked) == 1


async def test_a_server_that_is_gone_is_unavailable():
    async with fake_vies({}) as vies:
        url = vies.url
    assert await ViesRegister(url).check(FRENCH) is UNAVAILABLE


async def test_an_address_that_is_none_is_unavailable():
    assert await ViesRegister("http://").check(FRENCH) is UNAVAILABLE


def test_the_public_service_is_asked_over_tls():
    assert PUBLIC_URL.startswith("https://ec.europa.eu/")
    assert ViesRegister().name == "vies"
