"""Which currencies exist, and how fine is their smallest unit?

The codes and minor units are those of ISO 4217 "List One" (current currencies and funds), as
published on 2026-09-17 by SIX, the standard's maintenance agency. Codes without a minor unit
(metals, special drawing rights, test codes) are left out, since no amount in them could be charged.
When a later list withdraws a code, the code stays here: amounts stored in it must remain readable.
"""

from __future__ import annotations

from dataclasses import dataclass

from billwright.kernel.refusal import Category, RefusalCode

currency_unknown = RefusalCode(
    "currency_unknown", Category.INVALID, "{currency!r} is not an ISO 4217 currency code."
)


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its ISO 4217 code; one major unit is `10 ** exponent` minor units.

    Obtain it from `currency_of`, which answers the same object for the same code every time.
    """

    code: str
    exponent: int

    def __str__(self) -> str:
        return self.code


_CODES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN
        BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD
        FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW
        KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
        MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG
        SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD
        USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
        """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

CURRENCIES = {
    code: Currency(code, exponent)
    for exponent, codes in _CODES_BY_EXPONENT.items()
    for code in codes.split()
}


def currency_of(code: str) -> Currency:
    """The currency of an ISO 4217 code in capital letters; refuses any other as unknown."""
    currency = CURRENCIES.get(code)
    if currency is None:
        raise currency_unknown(currency=code)
    return currency
