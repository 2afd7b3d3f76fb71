"""Is a text a VAT id, and of which country?"""

from __future__ import annotations

from functools import lru_cache

from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as british
from stdnum.no import mva as norwegian

from billwright.features.tax.model import VatId
from billwright.features.tax.rules.territory import MEMBER_STATES

NORTHERN_IRELAND = "XI"
# Article 215 of Directive 2006/112/EC lets Greece use EL, where ISO 3166 has GR.
_PREFIXES = {"GR": "EL"}
_COUNTRIES = {"EL": "GR"}


@lru_cache(maxsize=10_000)
def read_vat_id(text: str, *, country: str) -> VatId | None:
    """A VAT id in its normal form, or none when the text has not the form of any.

    A number without a prefix is taken for one of `country`. The form includes check digits where a
    country has them; whether the id is registered only its register can tell.
    """
    # Old Irish numbers have a plus or an asterisk.
    compact = "".join(each for each in text.upper() if each.isalnum() or each in "+*")
    return _with_prefix(compact) or _with_prefix(_PREFIXES.get(country, country) + compact)


def _with_prefix(number: str) -> VatId | None:
    prefix, rest = number[:2], number[2:]
    country = _COUNTRIES.get(prefix, prefix)
    try:
        if country in MEMBER_STATES or country == NORTHERN_IRELAND:
            prefix = _PREFIXES.get(country, country)
            # Some modules strip a leading pair of letters that is part of the number.
            return VatId(country, prefix + european.validate(prefix + rest)[2:])
        if country == "GB":
            return VatId(country, prefix + british.validate(rest))
        if country == "CH":
            return VatId(country, swiss.validate(number))
        if country == "NO":
            return VatId(country, prefix + norwegian.validate(rest))
    except ValidationError:
        return None
    return None
