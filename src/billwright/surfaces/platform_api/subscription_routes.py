"""How does a command on a subscription become two routes, one that does it and one that previews it?

Both read the same request and run the same operation, so that a preview cannot promise anything else
than what is done; its transaction is never committed.
"""

# The annotations of the routes made here must be values, so that they can hold what is passed in.

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from inspect import getdoc
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from billwright.features.accounts.errors import account_parked
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.catalog.sql.reads import plan_versions
from billwright.features.invoicing.model import NewCharge
from billwright.features.invoicing.sql.reads import invoice_by_id, lines_of, pending_charges
from billwright.features.promotions import errors as promotions
from billwright.features.subscriptions import model
from billwright.features.subscriptions.errors import subscription_unknown, version_stale
from billwright.features.subscriptions.model import Commanded
from billwright.features.subscriptions.sql.reads import account_of
from billwright.features.tax.errors import tax_engine_unknown, tax_rate_unknown
from billwright.kernel.refusal import RefusalCode
from billwright.kernel.state_machine import state_forbids
from billwright.runtime.db.tx import Tx
from billwright.surfaces.platform_api import refusals
from billwright.surfaces.platform_api.caller import Writer
from billwright.surfaces.platform_api.subscription_answers import (
    CommandedSubscription,
    SubscriptionPreview,
    commanded,
    previewed,
)
from billwright.surfaces.platform_api.subscriptions_models import (
    Subscription,
    to_response,
    version_ids,
)
from billwright.surfaces.platform_api.versions import ETAG, with_etag
from billwright.surfaces.web.idempotency import Idempotent, once

OF_EVERY_COMMAND = (subscription_unknown, version_stale, account_parked, state_forbids)
"""What a command on a subscription that exists may refuse, whatever it does."""

OF_REDEEMING = (
    promotions.promotion_reference_unknown,
    promotions.promotion_archived,
    promotions.promotion_not_begun,
    promotions.promotion_over,
    promotions.promotion_not_for_plan,
    promotions.promotion_not_for_currency,
    promotions.promotion_not_for_customer,
    promotions.promotion_used_up,
    promotions.promotion_used_up_by_account,
    promotions.promotion_redeemed_already,
    promotions.promotion_not_combinable,
)
"""What redeeming a promotion's code may refuse."""

_OF_BILLING = (tax_rate_unknown, tax_engine_unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for. `at` is the instant that it says to reckon with, if it says one;
    `subscription_id` is none for one that is yet to be created.
    """

    work: Callable[[Tx], Awaitable[Commanded]]
    subscription_id: UUID | None = None
    at: datetime | None = None


Reading = TypeVar("Reading", bound=Callable[..., object])


def command(
    router: APIRouter,
    path: str,
    *,
    summary: str,
    refuses: Sequence[RefusalCode],
    method: str = "POST",
    status_code: int = 200,
) -> Callable[[Reading], Reading]:
    """Decorates a function that reads a request's parameters into an `Asked`: its name is that of the
    operation in the document, its docstring the description there.
    """

    def register(reading: Reading) -> Reading:
        async def carry_out(
            writer: Writer, idempotent: Idempotent, asked: Annotated[Asked, Depends(reading)]
        ) -> Response:
            async def work(tx: Tx) -> CommandedSubscription:
                done = await asked.work(tx)
                return commanded(await _answer(tx, done.subscription), done)

            return with_etag(await once(writer.tx(), idempotent, work=work))

        async def preview(
            writer: Writer, asked: Annotated[Asked, Depends(reading)]
        ) -> SubscriptionPreview:
            async with writer.rehearsal() as tx:
                return await _preview(tx, asked)

        name = reading.__name__
        router.add_api_route(
            path,
            carry_out,
            methods=[method],
            name=name,
            status_code=status_code,
            response_model=CommandedSubscription,
            summary=summary,
            description=getdoc(reading),
            responses={status_code: ETAG, **refusals.of_writing(*refuses, *_OF_BILLING)},
        )
        router.add_api_route(
            f"{path}/preview",
            preview,
            methods=["POST"],
            name=f"preview_{name}",
            summary=f"Preview: {summary[0].lower()}{summary[1:]}",
            description=f"What `{name}` would do now and answer, without anything of it happening.",
            responses=refusals.of_previewing(*refuses, *_OF_BILLING),
        )
        return reading

    return register


async def _answer(tx: Tx, subscription: model.Subscription) -> Subscription:
    return to_response(subscription, await plan_versions(tx, version_ids([subscription])))


async def _preview(tx: Tx, asked: Asked) -> SubscriptionPreview:
    before = frozenset[UUID]()
    if asked.subscription_id is not None:
        account = await lock_account(tx, await account_of(tx, asked.subscription_id))
        before = frozenset(await _waiting(tx, account.id))
    done = await asked.work(tx)
    after = await _waiting(tx, done.subscription.account_id)
    return previewed(
        await _answer(tx, done.subscription),
        done,
        at=asked.at or tx.now,
        documents=[
            (await invoice_by_id(tx, one.id), await lines_of(tx, one.id))
            for one in done.billed.documents
        ],
        waiting=[charge for charge_id, charge in after.items() if charge_id not in before],
    )


async def _waiting(tx: Tx, account_id: UUID) -> dict[UUID, NewCharge]:
    """The charges of an account that are on no document yet."""
    by_currency = await pending_charges(tx, [account_id])
    return {live.id: live.charge for charges in by_currency.values() for live in charges}
