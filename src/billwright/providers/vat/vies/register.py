"""What does VIES, the European Commission's gateway to the member states' registers, say of a VAT id?

`POST /check-vat-number` takes `{"countryCode", "vatNumber"}` and answers `{"valid": true | false, …}`.
Failures come with status 200 too: `{"actionSucceed": false, "errorWrappers": [{"error": …}]}`, for
example `MS_UNAVAILABLE` while a member state is down.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx2
import structlog

from billwright.features.tax.model import VatId
from billwright.features.tax.port import VatIdAnswer
from billwright.runtime.telemetry.tracing import outgoing_headers

PUBLIC_URL = "https://ec.europa.eu/taxation_customs/vies/rest-api"

# The one error that speaks of the id and not of the service.
_MALFORMED = "INVALID_INPUT"

_log = structlog.get_logger(__name__)


class ViesRegister:
    """A `VatIdRegister`; only a clear answer about the very id that was asked for counts as one."""

    name = "vies"

    def __init__(self, base_url: str = PUBLIC_URL, *, timeout_seconds: int = 20) -> None:
        self._url = f"{base_url.rstrip('/')}/check-vat-number"
        self._timeout = httpx2.Timeout(timeout_seconds)
        # Reading the trust store takes longer than everything else here.
        self._tls = ssl.create_default_context()

    async def check(self, vat_id: VatId) -> VatIdAnswer:
        prefix, number = vat_id.number[:2], vat_id.number[2:]
        try:
            async with httpx2.AsyncClient(timeout=self._timeout, verify=self._tls) as client:
                response = await client.post(
                    self._url,
                    json={"countryCode": prefix, "vatNumber": number},
                    headers=outgoing_headers(),
                )
            body = response.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            _log.warning("VIES has not answered", reason=repr(error))
            return VatIdAnswer.UNAVAILABLE
        return _answer(body, status=response.status_code, prefix=prefix, number=number)


def _answer(body: Any, *, status: int, prefix: str, number: str) -> VatIdAnswer:
    if not isinstance(body, dict):
        body = {}
    errors = _errors(body)
    if errors == [_MALFORMED] and status in {200, 400}:
        return VatIdAnswer.INVALID
    if status == 200 and not errors and _is_about(body, prefix=prefix, number=number):
        if body.get("valid") is True:
            return VatIdAnswer.VALID
        if body.get("valid") is False:
            return VatIdAnswer.INVALID
    _log.warning("VIES has given no answer", status=status, errors=errors)
    return VatIdAnswer.UNAVAILABLE


def _errors(body: dict[str, Any]) -> list[str]:
    wrappers = body.get("errorWrappers") or []
    errors = [
        str(wrapper.get("error")) if isinstance(wrapper, dict) else str(wrapper)
        for wrapper in (wrappers if isinstance(wrappers, list) else [wrappers])
    ]
    # Another form of the same interface names it here, beside a `valid` that means nothing then.
    user_error = body.get("userError")
    if user_error not in (None, "", "VALID", "INVALID"):
        errors.append(str(user_error))
    if body.get("actionSucceed") is False and not errors:
        errors.append("unknown")
    return errors


def _is_about(body: dict[str, Any], *, prefix: str, number: str) -> bool:
    echoed = (body.get("countryCode", prefix), body.get("vatNumber", number))
    return echoed == (prefix, number)
