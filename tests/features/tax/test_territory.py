"""In which territory does an address lie?"""

from __future__ import annotations

import pytest

from billwright.features.tax.rules.territory import tax_territory
from billwright.features.tenancy.model import Address


@pytest.mark.parametrize(
    ("country", "region", "postal_code", "territory"),
    [
        ("DE", "", "10115", "DE"),
        ("DE", "", "78266", "DE-BUESINGEN"),
        ("DE", "", "27498", "DE-HELGOLAND"),
        ("ES", "", "28013", "ES"),
        ("ES", "ES-CN", "", "ES-CN"),
        ("ES", "tf", "", "ES-CN"),
        ("ES", "", "35001", "ES-CN"),
        ("ES", "", "38 003", "ES-CN"),
        ("ES", "", "51001", "ES-CE"),
        ("ES", "ML", "52001", "ES-ML"),
        ("FI", "", "00100", "FI"),
        ("FI", "", "22100", "AX"),
        ("FI", "", "AX-22100", "FI"),
        ("AX", "", "22100", "AX"),
        ("FR", "", "75001", "FR"),
        ("FR", "FR-974", "", "RE"),
        ("FR", "", "97110", "GP"),
        ("RE", "", "97400", "RE"),
        ("IT", "", "20121", "IT"),
        ("IT", "", "I-23041", "IT"),
        ("IT", "", "IT-23041", "IT-LIVIGNO"),
        ("IT", "", "22061", "IT-CAMPIONE"),
        ("GR", "GR-69", "", "GR-69"),
        ("GR", "", "630 86", "GR-69"),
        ("EL", "", "10552", "GR"),
        ("MC", "", "98000", "FR"),
        ("IM", "", "", "GB"),
        ("UK", "", "", "GB"),
        ("GB", "GB-NIR", "BT1 1AA", "GB"),
        ("LI", "", "9490", "CH"),
        ("GI", "", "", "GI"),
        ("PT", "PT-30", "9000-001", "PT"),
        ("", "", "", ""),
    ],
)
def test_an_address_lies_in_one_territory(country, region, postal_code, territory):
    address = Address(country=country, region=region, postal_code=postal_code)
    assert tax_territory(address) == territory
