"""What is a step in the life of a subscription computed from, and what comes of it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from billwright.features.catalog.model import PlanVersion
from billwright.features.invoicing.model import InvoiceTiming, LiveCharge, NewCharge, UsedOf
from billwright.features.promotions.model import Redemption
from billwright.features.subscriptions.model import Subscription
from billwright.features.usage.model import Used
from billwright.kernel.event import Event
from billwright.kernel.money import Rounding
from billwright.kernel.proration import Granularity
from billwright.kernel.quick import quickly_made


class ChargingTerms(NamedTuple):
    """How the seller counts shares of periods and rounds lines."""

    granularity: Granularity = Granularity.SECOND
    rounding: Rounding = Rounding.HALF_UP


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a step must know beside the subscription itself.

    `version` is the version that it has. `live` are the recurring charges that cover the time after
    the step, `taken_back` those that a standstill has taken back and its end brings again,
    `live_versions` the plan versions that both were sold under, by component. `used` is what
    was used of each usage component from where it accrues up to the step, as far as it was known at
    `cutoff`. `redemptions` are its promotions, `charged_once` the components whose one-time charge was
    made, `reversed_at` the last instant at which a charge was taken back. `zone` is the account's,
    which holds from the next boundary on; `has_payment_method` decides how a trial ends.
    """

    version: PlanVersion
    terms: ChargingTerms
    zone: str
    has_payment_method: bool
    live: tuple[LiveCharge, ...] = ()
    taken_back: tuple[LiveCharge, ...] = ()
    live_versions: Mapping[UUID, PlanVersion] = field(default_factory=dict)
    used: Mapping[UUID, Used] = field(default_factory=dict)
    cutoff: datetime | None = None
    redemptions: tuple[Redemption, ...] = ()
    charged_once: frozenset[UUID] = frozenset()
    reversed_at: datetime | None = None

    def usage_of(self, component_id: UUID, meter: str) -> UsedOf | None:
        """What an explanation says of the usage of a component; none when nothing was used."""
        used = self.used.get(component_id)
        if used is None or self.cutoff is None:
            return None
        return UsedOf(
            meter=meter,
            cutoff=self.cutoff,
            events=used.events,
            digest=used.digest,
            meter_version=used.meter_version,
        )


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A subscription before and after a step, and what that owes or gives back.

    `action` names the step in the audit log. `redemptions` are the promotions that changed.
    """

    action: str
    before: Subscription
    after: Subscription
    version: PlanVersion
    at: datetime
    charges: tuple[NewCharge, ...] = ()
    timing: InvoiceTiming = InvoiceTiming.BY_POLICY
    redemptions: tuple[Redemption, ...] = ()
    events: tuple[Event, ...] = ()
