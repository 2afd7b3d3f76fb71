"""How are the members of a plan explained, in requests and answers alike?"""

from __future__ import annotations

TIMING = "Whether a period is owed when it begins or when it has ended."
KIND = (
    "`recurring` charges its units in every period, `one_time` charges them once at the beginning, "
    "`usage` charges what was counted of a meter in a period."
)
OPTIONAL = "An add-on: a subscription has it only when it is asked for."
FREE_UNITS = "How many units cost nothing in a period; not for `one_time`."
MINIMUMS = (
    "The least that a period costs; what is missing is charged when it has ended. At most one in "
    "each currency of the prices; not for `one_time`."
)
METER = "What a `usage` component counts; no other kind has one."
TAX_INCLUSIVE = "Whether the prices contain the tax."
ALIGNMENT = (
    "Whether periods are counted from a subscription's start, or begin along the calendar, where the "
    "first one is a stub."
)
CALENDAR_DAY = (
    "The day of month on which periods of months or years that are aligned to the calendar begin; "
    "null is the first. In a month that is too short it is the last day."
)
TRIAL_DAYS = "How long a new subscription costs nothing."
TRIAL_END_BEHAVIOR = "What happens when a trial ends and the account has no payment method."
NOTICE_DAYS = "A cancellation takes effect this long after it is asked for, at the earliest."
COMMITMENT_DAYS = "No cancellation takes effect before this many days have passed since the start."
ENDS_AT_PERIOD_END = (
    "Whether a cancellation takes effect at the end of the period that is then running."
)
