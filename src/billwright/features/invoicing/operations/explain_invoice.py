"""Why does each line of an invoice amount to what it does?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from billwright.features.catalog.sql.reads import versions_of_components
from billwright.features.invoicing.model import Invoice, InvoiceLine
from billwright.features.invoicing.rules.explanation import (
    Explanation,
    Surroundings,
    explain,
    reached_by,
)
from billwright.features.invoicing.sql.reads import charges_of_invoice, invoice_by_id, lines_of
from billwright.features.invoicing.sql.reads_explanation import corrections, rule_versions
from billwright.features.promotions.model import Redemption
from billwright.features.promotions.sql.reads import discounts_of_charges, redemptions_by_id
from billwright.runtime.db.tx import Tx


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """A line with the reasons of its amount."""

    line: InvoiceLine
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class ExplainedInvoice:
    """An invoice with the reasons of its lines, and the promotions that these name, by redemption."""

    invoice: Invoice
    lines: tuple[ExplainedLine, ...]
    redemptions: Mapping[UUID, Redemption]


async def explain_invoice(tx: Tx, invoice_id: UUID) -> ExplainedInvoice:
    """A document's lines with all that is needed to compute them again, in a constant number of
    queries. Refuses: `invoice_unknown`.
    """
    invoice = await invoice_by_id(tx, invoice_id)
    lines = {line.id: line for line in await lines_of(tx, invoice_id)}
    charges = await charges_of_invoice(tx, invoice_id)
    component_ids = {each.charge.plan_component_id for each in charges}
    versions = await versions_of_components(tx, [each for each in component_ids if each])
    rules = await rule_versions(tx, invoice_id)
    corrected = await corrections(tx, invoice_id)
    discounts = await discounts_of_charges(tx, list(lines))
    redemptions = await redemptions_by_id(
        tx, list({redemption_id for own in discounts.values() for redemption_id, _ in own})
    )
    taken_off = {charge_id: sum(minor for _, minor in own) for charge_id, own in discounts.items()}
    return ExplainedInvoice(
        invoice,
        tuple(
            ExplainedLine(
                lines[each.id],
                explain(
                    each,
                    Surroundings(
                        currency=invoice.currency,
                        rule_version=rules[each.id],
                        version=versions.get(each.charge.plan_component_id)
                        if each.charge.plan_component_id
                        else None,
                        correction=corrected.get(each.id),
                        reached_minor=reached_by(each.charge, charges, discounts=taken_off),
                        discounts=discounts.get(each.id, ()),
                    ),
                ),
            )
            for each in charges
        ),
        redemptions,
    )
