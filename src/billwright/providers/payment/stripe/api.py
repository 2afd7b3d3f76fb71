"""How is Stripe's API called, and what does it mean when the call fails?

Each request has a connection of its own: then only one that never came about is certain not to have
carried anything, whereas a kept one may break at any time. Nothing is sent again here, since that is
for payments to decide.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import httpx2
import stripe
import structlog

from billwright.features.payment_providers.port import OutcomeUnknown, ProviderUnavailable
from billwright.providers.payment.stripe.objects import StripeJson
from billwright.runtime.telemetry.tracing import outgoing_headers

Call: TypeAlias = Callable[..., Awaitable[Any]]

_log = structlog.get_logger(__name__)

# All together less than what payments wait for an answer.
_TIMEOUT = httpx2.Timeout(connect=5, write=5, read=18, pool=1)

_NEVER_CONNECTED = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


class Refused(Exception):  # noqa: N818 - it names the answer
    """Stripe says no and has moved nothing; `error` is what it says.

    `by_bank` where a card or bank account was asked and said no, which another day may be yes.
    """

    def __init__(self, error: StripeJson, *, by_bank: bool) -> None:
        super().__init__(error.get("code"))
        self.error = error
        self.by_bank = by_bank


class Transport(stripe.HTTPClient):
    """The SDK's way to the network, over the product's own HTTP library."""

    name = "httpx2"

    def __init__(self, timeout: httpx2.Timeout) -> None:
        super().__init__()
        self._timeout = timeout
        # Reading the trust store takes longer than making a request.
        self._tls = ssl.create_default_context()

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            async with httpx2.AsyncClient(timeout=self._timeout, verify=self._tls) as client:
                response = await client.request(
                    method, url, headers={**headers, **outgoing_headers()}, content=post_data
                )
        except _NEVER_CONNECTED as error:
            raise ProviderUnavailable(f"Stripe: {type(error).__name__}") from None
        except httpx2.HTTPError as error:
            raise OutcomeUnknown(f"Stripe: {type(error).__name__}") from None
        return response.content, response.status_code, response.headers


class StripeApi:
    """The SDK's client with its failures told apart; `base_url` stands in for Stripe's own."""

    def __init__(
        self,
        secret_key: str,
        *,
        base_url: str | None = None,
        timeout: httpx2.Timeout = _TIMEOUT,
    ) -> None:
        # It would write bodies, which name payers, and tell Stripe how long its answers took.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        stripe.enable_telemetry = False
        self.v1 = stripe.StripeClient(
            secret_key,
            max_network_retries=0,
            http_client=Transport(timeout),
            base_addresses={"api": base_url} if base_url else None,
        ).v1

    async def send(self, call: Call, *path: str, params: StripeJson, key: str) -> StripeJson:
        """Ask for something under an idempotency key.

        Raises `Refused` when Stripe has said no, `ProviderUnavailable` when it was certainly not
        asked, else `OutcomeUnknown`.
        """
        try:
            answer = await call(*path, params=params, options={"idempotency_key": key})
        except stripe.StripeError as error:
            if not isinstance(error, stripe.CardError):
                _log.warning("Stripe has not done what it was asked", reason=_named(error))
            raise _meaning(error) from None
        return _json_of(answer)

    async def read(
        self, call: Call, *path: str, params: StripeJson | None = None
    ) -> StripeJson | None:
        """How things stand; none where there is no such thing. Raises `ProviderUnavailable`."""
        try:
            answer = await call(*path, params=params or {})
        except OutcomeUnknown as unknown:
            raise ProviderUnavailable(str(unknown)) from None
        except stripe.StripeError as error:
            if error.http_status == 404:
                return None
            _log.warning("Stripe has not answered a question", reason=_named(error))
            raise ProviderUnavailable(_named(error)) from None
        return _json_of(answer)


def _json_of(answer: Any) -> StripeJson:
    content: StripeJson = answer.to_dict()
    return content


def _meaning(error: stripe.StripeError) -> Exception:
    """What a failed request to do something comes to; no text of Stripe's, which may name a payer."""
    match error:
        # A limit is reached, or the key is wrong: Stripe has looked at nothing.
        case stripe.RateLimitError() | stripe.AuthenticationError() | stripe.PermissionError():
            return ProviderUnavailable(_named(error))
        # Another request with this key is on its way, or had other values: its outcome is what counts.
        case stripe.IdempotencyError():
            return OutcomeUnknown(_named(error))
        case stripe.CardError():
            return Refused(_stated(error), by_bank=True)
        case stripe.InvalidRequestError():
            return Refused(_stated(error), by_bank=False)
    return OutcomeUnknown(_named(error))


def _stated(error: stripe.StripeError) -> StripeJson:
    body = error.json_body
    stated = body.get("error") if isinstance(body, dict) else None
    return stated if isinstance(stated, dict) else {}


def _named(error: stripe.StripeError) -> str:
    stated = _stated(error)
    facts = (error.http_status, stated.get("code"), stated.get("param"), error.request_id)
    return f"Stripe: {type(error).__name__}: {', '.join(str(fact) for fact in facts if fact)}"
