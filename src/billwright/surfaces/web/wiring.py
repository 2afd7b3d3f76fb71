"""What is a surface wired with when its process starts?"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.features.identity.operations.session_keys import SessionKeys
from billwright.features.identity.port import TokenIssuer
from billwright.features.invoicing.port import InvoiceRenderer
from billwright.features.payment_providers.port import PaymentProviders
from billwright.features.webhooks.model import TargetPolicy
from billwright.runtime.db.database import Database
from billwright.runtime.secrets import SecretBox
from billwright.runtime.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Wiring:
    """What requests work with; an application has it as `app.state.wiring`.

    `default_tenant` is the code of the tenant that keeps what cannot be placed. With a `token_issuer`,
    people sign in there, and else here. `platform_users` is whether administrators who signed in may
    call the platform API.

    An application is built without it, so that its OpenAPI document needs no database.
    """

    database: Database
    metrics: Metrics
    invoice_renderer: InvoiceRenderer
    payment_providers: PaymentProviders
    secret_box: SecretBox
    default_tenant: str = "default"
    webhook_targets: TargetPolicy = TargetPolicy()
    session_keys: SessionKeys | None = None
    token_issuer: TokenIssuer | None = None
    platform_users: bool = False

    @property
    def keys(self) -> SessionKeys:
        """The keys of sessions, without which nobody can have signed in."""
        if self.session_keys is None:
            raise RuntimeError("the process is wired without keys of sessions")
        return self.session_keys
