"""How does a payer get to a page on which they leave a method?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from uuid import UUID

from billwright.features.accounts.errors import account_closed
from billwright.features.accounts.model import AccountStatus
from billwright.features.accounts.operations.lock_account import lock_account
from billwright.features.accounts.sql.reads import account_by_id
from billwright.features.payment_methods.model import MethodSetup, SetupId, SetupState
from billwright.features.payment_methods.operations.saved_method import payer_reference_of
from billwright.features.payment_methods.sql.reads_setups import setup_by_id
from billwright.features.payment_methods.sql.writes_setups import insert_setup, update_setup
from billwright.features.payment_providers.errors import provider_silent
from billwright.features.payment_providers.operations.choose_provider import choose_provider
from billwright.features.payment_providers.port import (
    Capability,
    Checkout,
    OutcomeUnknown,
    Payer,
    PaymentProviders,
    ProviderUnavailable,
    SetupRequest,
)
from billwright.features.payment_providers.rules.redirect_url import require_redirect_url
from billwright.kernel.currency import currency_of
from billwright.kernel.ids import TenantId, new_id
from billwright.runtime.db.tx import OpenTx, Tx
from billwright.runtime.secrets import SecretBox

_LIMIT_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSetup:
    """Let an account leave a method. Without a provider it is the only one that can; without a currency
    the account's.
    """

    account_id: UUID
    success_url: str
    cancel_url: str
    provider: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class SetupPage:
    """A setup and where to send its payer; nowhere once it has ended."""

    setup: MethodSetup
    url: str | None


async def start_setup(tx: Tx, command: StartSetup, *, providers: PaymentProviders) -> SetupId:
    """Reserve a setup. Once this is committed, `open_setup_page` asks the provider.

    Refuses: `account_unknown`, `account_closed`, `currency_unknown`, `provider_unknown`,
    `provider_incapable`, `provider_missing`, `provider_not_named`, `redirect_url_invalid`.
    """
    require_redirect_url(command.success_url, pointer="/success_url")
    require_redirect_url(command.cancel_url, pointer="/cancel_url")
    provider = choose_provider(providers, named=command.provider, capability=Capability.SETUP)
    account = await lock_account(tx, command.account_id)
    if account.status is AccountStatus.CLOSED:
        raise account_closed(account_id=account.id)
    currency = currency_of(command.currency or account.currency)
    setup_id = SetupId(new_id())
    await insert_setup(
        tx,
        MethodSetup(
            id=setup_id,
            account_id=account.id,
            provider=provider.name,
            provider_key=f"setup:{setup_id}",
            state=SetupState.CREATED,
            provider_reference=None,
            page_url_sealed=None,
            expires_at=None,
            payment_method_id=None,
            created_at=tx.machine_now,
            updated_at=tx.machine_now,
        ),
    )
    tx.audit(
        "payment_method_setup.start",
        subject_type="payment_method_setup",
        subject_id=setup_id,
        details={"provider": provider.name, "currency": currency.code},
    )
    return setup_id


async def open_setup_page(
    open_tx: OpenTx,
    setup_id: UUID,
    *,
    command: StartSetup,
    providers: PaymentProviders,
    box: SecretBox,
) -> SetupPage:
    """Ask the provider, outside any transaction, for the page of a setup, and keep its address. Asking
    again, with the command that started it, gets the same page for as long as it is open.

    Refuses: `payment_method_setup_unknown`, `checkout_refused`, `provider_silent`.
    """
    async with open_tx() as tx:
        setup = await setup_by_id(tx, setup_id)
        if setup.state is not SetupState.CREATED:
            return SetupPage(setup, _opened_url(tx, setup, box=box))
        request = await _request(tx, setup, command=command, box=box)
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            page = await providers[setup.provider].open_setup(request)
    except (ProviderUnavailable, OutcomeUnknown, TimeoutError):
        raise provider_silent(provider=setup.provider) from None
    async with open_tx() as tx:
        return await _record_page(tx, setup_id, page=page, box=box)


async def _request(
    tx: Tx, setup: MethodSetup, *, command: StartSetup, box: SecretBox
) -> SetupRequest:
    account = await account_by_id(tx, setup.account_id)
    known_as = await payer_reference_of(tx, account.id, provider=setup.provider, box=box)
    return SetupRequest(
        provider_key=setup.provider_key,
        payer=Payer(account.id, account.name, account.email, known_as),
        currency=currency_of(command.currency or account.currency),
        success_url=command.success_url,
        cancel_url=command.cancel_url,
        tenant_id=tx.tenant_id,
    )


async def _record_page(tx: Tx, setup_id: UUID, *, page: Checkout, box: SecretBox) -> SetupPage:
    await lock_account(tx, (await setup_by_id(tx, setup_id)).account_id)
    setup = await setup_by_id(tx, setup_id)  # again, now that its account is locked
    if setup.state is not SetupState.CREATED:
        return SetupPage(setup, _opened_url(tx, setup, box=box))
    context = _url_context(tx.tenant_id, setup_id=setup_id)
    opened = replace(
        setup,
        state=SetupState.OPEN,
        provider_reference=page.reference,
        page_url_sealed=box.seal(page.url.encode(), context=context),
        expires_at=page.expires_at,
        updated_at=tx.machine_now,
    )
    await update_setup(tx, opened)
    return SetupPage(opened, page.url)


def _opened_url(tx: Tx, setup: MethodSetup, *, box: SecretBox) -> str | None:
    if setup.page_url_sealed is None or setup.expires_at is None:
        return None
    if setup.expires_at <= tx.machine_now:
        return None
    context = _url_context(tx.tenant_id, setup_id=setup.id)
    return box.open(setup.page_url_sealed, context=context).decode()


def _url_context(tenant_id: TenantId, *, setup_id: UUID) -> str:
    return f"payment_method_setup.page_url:{tenant_id}:{setup_id}"
