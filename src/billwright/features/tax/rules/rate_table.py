"""Which rates of value added tax are, and were, in force?

One row per territory, category and time; docs/tax.md says what the categories mean and what is left
out. A first day of 2020-01-01 means that day at the latest: what held before is not kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from billwright.features.tax.errors import tax_rate_unknown


@dataclass(frozen=True, slots=True)
class RateRow:
    """A rate as a share (0.19 is 19 %), in force from the first to the last day, both included."""

    country: str
    category: str
    rate: Decimal
    valid_from: date
    valid_until: date | None
    source: str


# country, category, per cent, first day, last day (- for none), the law that sets it
_TABLE = """
AT standard        20    1984-01-01 -           UStG 1994 § 10
AT reduced         10    2020-01-01 -           UStG 1994 § 10
AT second_reduced  13    2016-01-01 -           UStG 1994 § 10
BE standard        21    1996-01-01 -           Royal Decree no. 20 of 1970-07-20
BE reduced         6     2020-01-01 -           Royal Decree no. 20 of 1970-07-20
BE second_reduced  12    2020-01-01 -           Royal Decree no. 20 of 1970-07-20
BG standard        20    1999-01-01 -           VAT Act art. 66
BG reduced         9     2020-01-01 -           VAT Act art. 66
CY standard        19    2014-01-13 -           VAT Law 95(I)/2000
CY reduced         5     2020-01-01 -           VAT Law 95(I)/2000 annex 5
CY second_reduced  9     2020-01-01 -           VAT Law 95(I)/2000 annex 12
CY super_reduced   3     2024-01-01 -           VAT Law 95(I)/2000 as amended in 2023
CZ standard        21    2013-01-01 -           Act 235/2004 § 47
CZ reduced         10    2020-01-01 2023-12-31  Act 235/2004 § 47
CZ second_reduced  15    2020-01-01 2023-12-31  Act 235/2004 § 47
CZ reduced         12    2024-01-01 -           Act 235/2004 § 47 as amended by Act 349/2023
CZ zero            0     2024-01-01 -           Act 235/2004 § 71i
DE standard        19    2007-01-01 2020-06-30  UStG § 12
DE standard        16    2020-07-01 2020-12-31  UStG § 28 (1) of 2020
DE standard        19    2021-01-01 -           UStG § 12
DE reduced         7     2020-01-01 2020-06-30  UStG § 12
DE reduced         5     2020-07-01 2020-12-31  UStG § 28 (2) of 2020
DE reduced         7     2021-01-01 -           UStG § 12
DE zero            0     2023-01-01 -           UStG § 12 (3)
DK standard        25    1992-01-01 -           Momsloven § 33
DK zero            0     2020-01-01 -           Momsloven § 34 (1) no. 18
EE standard        20    2009-07-01 2023-12-31  Käibemaksuseadus § 15
EE standard        22    2024-01-01 2025-06-30  Käibemaksuseadus § 15
EE standard        24    2025-07-01 -           Käibemaksuseadus § 15
EE reduced         9     2020-01-01 -           Käibemaksuseadus § 15
EE second_reduced  13    2025-01-01 -           Käibemaksuseadus § 15
ES standard        21    2012-09-01 -           Ley 37/1992 art. 90
ES reduced         10    2012-09-01 -           Ley 37/1992 art. 91
ES super_reduced   4     2020-01-01 -           Ley 37/1992 art. 91
FI standard        24    2013-01-01 2024-08-31  Arvonlisäverolaki § 84
FI standard        25.5  2024-09-01 -           Arvonlisäverolaki § 84
FI reduced         10    2013-01-01 -           Arvonlisäverolaki § 85 a
FI second_reduced  14    2013-01-01 2025-12-31  Arvonlisäverolaki § 85
FI second_reduced  13.5  2026-01-01 -           Arvonlisäverolaki § 85
FR standard        20    2014-01-01 -           CGI art. 278
FR reduced         5.5   2020-01-01 -           CGI art. 278-0 bis
FR second_reduced  10    2014-01-01 -           CGI art. 279
FR super_reduced   2.1   2020-01-01 -           CGI art. 281 quater ff.
GR standard        24    2016-06-01 -           VAT Code (Law 2859/2000, now 5144/2024)
GR reduced         6     2020-01-01 -           VAT Code (Law 2859/2000, now 5144/2024)
GR second_reduced  13    2020-01-01 -           VAT Code (Law 2859/2000, now 5144/2024)
HR standard        25    2012-03-01 -           Zakon o PDV art. 38
HR reduced         5     2020-01-01 -           Zakon o PDV art. 38
HR second_reduced  13    2014-01-01 -           Zakon o PDV art. 38
HU standard        27    2012-01-01 -           Act CXXVII of 2007 § 82
HU reduced         5     2020-01-01 -           Act CXXVII of 2007 § 82
HU second_reduced  18    2020-01-01 -           Act CXXVII of 2007 § 82
IE standard        23    2012-01-01 2020-08-31  VAT Consolidation Act 2010 s. 46
IE standard        21    2020-09-01 2021-02-28  VAT Consolidation Act 2010 s. 46
IE standard        23    2021-03-01 -           VAT Consolidation Act 2010 s. 46
IE reduced         9     2020-01-01 -           VAT Consolidation Act 2010 s. 46
IE second_reduced  13.5  2003-01-01 -           VAT Consolidation Act 2010 s. 46
IE super_reduced   4.8   2020-01-01 -           VAT Consolidation Act 2010 s. 46
IE zero            0     2020-01-01 -           VAT Consolidation Act 2010 s. 46
IT standard        22    2013-10-01 -           DPR 633/1972 art. 16
IT reduced         5     2016-01-01 -           DPR 633/1972 table A part II-bis
IT second_reduced  10    2020-01-01 -           DPR 633/1972 table A part III
IT super_reduced   4     2020-01-01 -           DPR 633/1972 table A part II
LT standard        21    2009-09-01 -           PVM įstatymas art. 19
LT reduced         5     2020-01-01 -           PVM įstatymas art. 19
LT second_reduced  9     2020-01-01 2025-12-31  PVM įstatymas art. 19
LT second_reduced  12    2026-01-01 -           PVM įstatymas art. 19 as amended by XV-287
LU standard        17    2015-01-01 2022-12-31  Loi TVA 1979 art. 39
LU standard        16    2023-01-01 2023-12-31  Loi TVA 1979 art. 39
LU standard        17    2024-01-01 -           Loi TVA 1979 art. 39
LU reduced         8     2015-01-01 2022-12-31  Loi TVA 1979 art. 39
LU reduced         7     2023-01-01 2023-12-31  Loi TVA 1979 art. 39
LU reduced         8     2024-01-01 -           Loi TVA 1979 art. 39
LU super_reduced   3     2020-01-01 -           Loi TVA 1979 art. 39
LV standard        21    2012-07-01 -           PVN likums art. 41
LV reduced         5     2022-01-01 -           PVN likums art. 41
LV second_reduced  12    2020-01-01 -           PVN likums art. 41
MT standard        18    2004-01-01 -           VAT Act cap. 406 art. 19
MT reduced         5     2020-01-01 -           VAT Act cap. 406 eighth schedule
MT second_reduced  7     2020-01-01 -           VAT Act cap. 406 eighth schedule
MT zero            0     2020-01-01 -           VAT Act cap. 406 fifth schedule
NL standard        21    2012-10-01 -           Wet OB 1968 art. 9
NL reduced         9     2019-01-01 -           Wet OB 1968 art. 9
PL standard        23    2011-01-01 -           Ustawa o VAT art. 41 and 146
PL reduced         5     2011-01-01 -           Ustawa o VAT art. 41
PL second_reduced  8     2011-01-01 -           Ustawa o VAT art. 41 and 146
PT standard        23    2011-01-01 -           CIVA art. 18
PT reduced         6     2020-01-01 -           CIVA art. 18
PT second_reduced  13    2020-01-01 -           CIVA art. 18
RO standard        19    2017-01-01 2025-07-31  Codul fiscal art. 291
RO standard        21    2025-08-01 -           Codul fiscal art. 291 as amended by Law 141/2025
RO reduced         5     2020-01-01 2025-07-31  Codul fiscal art. 291
RO second_reduced  9     2020-01-01 2025-07-31  Codul fiscal art. 291
RO reduced         11    2025-08-01 -           Codul fiscal art. 291 as amended by Law 141/2025
SE standard        25    1990-07-01 -           Mervärdesskattelag (2023:200) ch. 9
SE reduced         6     2020-01-01 -           Mervärdesskattelag (2023:200) ch. 9
SE second_reduced  12    2020-01-01 -           Mervärdesskattelag (2023:200) ch. 9
SI standard        22    2013-07-01 -           ZDDV-1 art. 41
SI reduced         5     2020-01-01 -           ZDDV-1 art. 41
SI second_reduced  9.5   2013-07-01 -           ZDDV-1 art. 41
SK standard        20    2011-01-01 2024-12-31  Act 222/2004 § 27
SK standard        23    2025-01-01 -           Act 222/2004 § 27
SK second_reduced  10    2020-01-01 2024-12-31  Act 222/2004 § 27
SK reduced         5     2023-01-01 -           Act 222/2004 § 27
SK second_reduced  19    2025-01-01 -           Act 222/2004 § 27
CH standard        7.7   2018-01-01 2023-12-31  MWSTG art. 25
CH standard        8.1   2024-01-01 -           MWSTG art. 25
CH reduced         2.5   2018-01-01 2023-12-31  MWSTG art. 25
CH reduced         2.6   2024-01-01 -           MWSTG art. 25
CH second_reduced  3.7   2018-01-01 2023-12-31  MWSTG art. 25
CH second_reduced  3.8   2024-01-01 -           MWSTG art. 25
GB standard        20    2011-01-04 -           VAT Act 1994 s. 2
GB reduced         5     2020-01-01 -           VAT Act 1994 s. 29A
GB zero            0     2020-01-01 -           VAT Act 1994 s. 30
NO standard        25    2005-01-01 -           Merverdiavgiftsloven § 5-1
NO reduced         12    2021-10-01 -           Merverdiavgiftsloven ch. 5
NO second_reduced  15    2020-01-01 -           Merverdiavgiftsloven § 5-2
NO zero            0     2020-01-01 -           Merverdiavgiftsloven ch. 6
"""


def rate_on(country: str, *, category: str, on: date) -> Decimal:
    """The table's rate as a share. Refuses: `tax_rate_unknown` where the table has none."""
    rate = rates_on(country, on).get(category)
    if rate is None:
        raise tax_rate_unknown(country=country, tax_category=category, on=on)
    return rate


@lru_cache(maxsize=10_000)
def rates_on(country: str, on: date) -> Mapping[str, Decimal]:
    """All rates of a territory that are in force on a day, by category; none outside the table."""
    return {
        row.category: row.rate
        for row in _BY_COUNTRY.get(country, ())
        if row.valid_from <= on and (row.valid_until is None or on <= row.valid_until)
    }


def _row(line: str) -> RateRow:
    country, category, per_cent, valid_from, valid_until, source = line.split(maxsplit=5)
    return RateRow(
        country=country,
        category=category,
        rate=Decimal(per_cent) / 100,
        valid_from=date.fromisoformat(valid_from),
        valid_until=None if valid_until == "-" else date.fromisoformat(valid_until),
        source=source,
    )


RATES = tuple(_row(line) for line in _TABLE.strip().splitlines())


def _by_country() -> Mapping[str, list[RateRow]]:
    rows = defaultdict(list)
    for row in RATES:
        rows[row.country].append(row)
    return rows


_BY_COUNTRY = _by_country()
