"""Do a provider's books and ours agree?"""

from __future__ import annotations

from billwright.features.payment_providers.port import PaymentProvider
from billwright.features.payments.operations.compare_payments import compare_payments
from billwright.features.payments.operations.comparison import Comparison, Reconciled
from billwright.features.payments.rules.reconciliation import Window
from billwright.features.refunds.operations.compare_disputes import compare_disputes
from billwright.features.refunds.operations.compare_refunds import compare_refunds
from billwright.features.refunds.rules.reconciling import window_of_returns
from billwright.runtime.db.tx import OpenTx
from billwright.runtime.secrets import SecretBox


async def reconcile_provider(
    open_tx: OpenTx, window: Window, *, provider: PaymentProvider, box: SecretBox
) -> Reconciled:
    """Compare payments, then what went back of them, and what banks want back.

    What is found is stored as it is found, the run only at its end: when the provider fails on the way
    (`ProviderUnavailable`, `OutcomeUnknown`), a repeated run finds the same.
    """
    comparison = Comparison(open_tx, provider, box)
    await compare_payments(comparison, window)
    returns = window_of_returns(window)
    await compare_refunds(comparison, returns)
    await compare_disputes(comparison, returns)
    return await comparison.finish(window)
