"""Where in Stripe's books is what we once asked for?

By search, which is fast, may be a minute behind and does not exist in every country; where it finds
nothing, by the lists, which are complete. Our keys carry the time at which they were made, so that only
a day of a list has to be read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from billwright.features.payment_providers.port import (
    Dispute,
    ListedPayment,
    ListedRefund,
    OutcomeUnknown,
    ProviderUnavailable,
)
from billwright.providers.payment.stripe.api import Call, StripeApi
from billwright.providers.payment.stripe.objects import (
    StripeJson,
    dispute_of,
    id_of,
    instant_of,
    key_of,
    payment_answer,
    refund_answer,
    tenant_of,
)

_PAGE_SIZE = 100
_MOST_PAGES = 40
# A key is sent for a day at most; the hours are for clocks that differ.
_BEFORE, _AFTER = timedelta(hours=1), timedelta(hours=26)
_SEARCHABLE = re.compile(r"[A-Za-z0-9:_-]+")


class History:
    """Reads only; every method may raise `ProviderUnavailable` or `OutcomeUnknown`."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def payment(self, provider_key: str) -> StripeJson | None:
        """The payment intent of a key, as it stands now; the one that has moved money, if several."""
        found = await self._searched(provider_key)
        if not found:
            found = await self._listed(self._api.v1.payment_intents.list_async, provider_key)
        if not found:
            return None
        chosen = next((each for each in found if each["status"] == "succeeded"), found[0])
        return await self._api.read(
            self._api.v1.payment_intents.retrieve_async,
            chosen["id"],
            params={"expand": ["payment_method"]},
        )

    async def checkout(self, provider_key: str) -> StripeJson | None:
        """The checkout session of a key."""
        found = await self._listed(self._api.v1.checkout.sessions.list_async, provider_key)
        return found[0] if found else None

    async def refund(self, provider_key: str) -> StripeJson | None:
        """The refund of a key."""
        found = await self._listed(self._api.v1.refunds.list_async, provider_key)
        return found[0] if found else None

    async def payments(self, *, since: datetime, until: datetime) -> AsyncIterator[ListedPayment]:
        """Every payment intent of a time, newest first."""
        list_some = self._api.v1.payment_intents.list_async
        async for intent in self._made(list_some, since=since, until=until):
            yield ListedPayment(
                reference=intent["id"],
                provider_key=key_of(intent),
                tenant_id=tenant_of(intent),
                created_at=instant_of(intent["created"]),
                answer=payment_answer(intent),
            )

    async def refunds(self, *, since: datetime, until: datetime) -> AsyncIterator[ListedRefund]:
        """Every refund of a time, newest first."""
        list_some = self._api.v1.refunds.list_async
        async for refund in self._made(list_some, since=since, until=until):
            yield ListedRefund(
                reference=refund["id"],
                provider_key=key_of(refund),
                tenant_id=tenant_of(refund),
                payment_reference=id_of(refund.get("payment_intent")),
                answer=refund_answer(refund),
            )

    async def disputes(self, *, since: datetime, until: datetime) -> AsyncIterator[Dispute]:
        """Every dispute of a time, newest first."""
        list_some = self._api.v1.disputes.list_async
        async for dispute in self._made(list_some, since=since, until=until):
            yield dispute_of(dispute)

    async def _searched(self, provider_key: str) -> list[StripeJson]:
        if not _SEARCHABLE.fullmatch(provider_key):
            return []
        query = f"metadata['provider_key']:'{provider_key}'"
        try:
            found = await self._api.read(
                self._api.v1.payment_intents.search_async, params={"query": query}
            )
        except ProviderUnavailable:
            return []  # not offered here, or away: then the lists will say so
        return _of_key(found["data"], provider_key) if found else []

    async def _listed(self, list_some: Call, provider_key: str) -> list[StripeJson]:
        """What the lists have of a key. Raises `OutcomeUnknown` when they are too long to be read."""
        pages_read = 0
        async for page in self._pages(list_some, _window(provider_key)):
            if found := _of_key(page, provider_key):
                return found
            pages_read += 1
            if pages_read == _MOST_PAGES:
                raise OutcomeUnknown("Stripe: too many objects to look through")
        return []

    async def _made(
        self, list_some: Call, *, since: datetime, until: datetime
    ) -> AsyncIterator[StripeJson]:
        """All of a list that was made in a time, a page in mind at once."""
        window = {"gte": _seconds(since), "lt": _seconds(until)}
        async for page in self._pages(list_some, window):
            for thing in page:
                yield thing

    async def _pages(
        self, list_some: Call, created: dict[str, int]
    ) -> AsyncIterator[list[StripeJson]]:
        params: StripeJson = {"limit": _PAGE_SIZE}
        if created:
            params["created"] = created
        while True:
            page = await self._api.read(list_some, params=params)
            if page is None:
                raise ProviderUnavailable("Stripe: no such list")
            yield page["data"]
            if not page["has_more"] or not page["data"]:
                return
            params = {**params, "starting_after": page["data"][-1]["id"]}


def _of_key(things: list[StripeJson], provider_key: str) -> list[StripeJson]:
    return [thing for thing in things if key_of(thing) == provider_key]


def _window(provider_key: str) -> dict[str, int]:
    """When what belongs to a key can have been made; any time for a key that does not say."""
    try:
        key_id = UUID(provider_key.rpartition(":")[2])
    except ValueError:
        return {}
    if key_id.version != 7:
        return {}
    # RFC 9562: the first 48 bits are milliseconds.
    made_at = datetime.fromtimestamp((key_id.int >> 80) // 1000, UTC)
    return {"gte": _seconds(made_at - _BEFORE), "lt": _seconds(made_at + _AFTER)}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
