"""How does a notification service get requests, over HTTP?

`POST /v1/requests`, signed by Standard Webhooks. 202 says that it has taken the request, 409 that it had
it already, 410 that it wants none of this type any more; any other 4xx is final. Everything else, a
success that is no 202 included, is not known to have been taken and is sent again.
"""

from __future__ import annotations

import ssl

import httpx2

from billwright import __version__
from billwright.features.notifications.port import (
    ServiceRejected,
    ServiceRequest,
    ServiceUnavailable,
    TypeStopped,
)
from billwright.providers.standard_webhooks import signed_headers
from billwright.runtime.telemetry.tracing import outgoing_headers

_TAKEN = {202, 409}
_STOPPED = 410
# Of the 4xx, those that speak of the moment and not of the request.
_PASSING = {408, 425, 429}


class HttpNotifier:
    """A `Notifier`; its address is the operator's own, and may be a private one."""

    def __init__(self, base_url: str, *, secret: str, timeout_seconds: int = 15) -> None:
        self._url = f"{base_url.rstrip('/')}/v1/requests"
        self._secret = secret
        self._timeout = httpx2.Timeout(timeout_seconds)
        # Reading the trust store takes longer than everything else here.
        self._tls = ssl.create_default_context()

    async def submit(self, request: ServiceRequest) -> None:
        headers = {
            "content-type": "application/json",
            "user-agent": f"Billwright/{__version__}",
            **outgoing_headers(),
            **signed_headers(
                str(request.id), request.body, secrets=(self._secret,), sent_at=request.sent_at
            ),
        }
        try:
            async with httpx2.AsyncClient(
                verify=self._tls, timeout=self._timeout, follow_redirects=False
            ) as client:
                response = await client.post(self._url, content=request.body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise ServiceUnavailable(str(error) or type(error).__name__) from error
        _judge(response.status_code)


def _judge(status: int) -> None:
    if status in _TAKEN:
        return
    said = f"the notification service answered {status}"
    if status == _STOPPED:
        raise TypeStopped(said)
    if 400 <= status < 500 and status not in _PASSING:
        raise ServiceRejected(said)
    raise ServiceUnavailable(said)
