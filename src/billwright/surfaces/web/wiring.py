"""What is a surface wired with when its process starts?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.invoicing.port import InvoiceRenderer
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.webhooks.model import TargetPolicy
from billwright.runtime.db.database import Database
from billwright.runtime.secrets import SecretBox
from billwright.runtime.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Wiring:
    """What requests work with; an application has it as `app.state.wiring`.

    `default_tenant` is the code of the tenant that keeps what cannot be placed.

    An application is built without it, so that its OpenAPI document needs no database.
    """

    database: Database
    metrics: Metrics
    invoice_renderer: InvoiceRenderer
    payment_providers: PaymentProviders
    secret_box: SecretBox
    default_tenant: str = "default"
    webhook_targets: TargetPolicy = TargetPolicy()
