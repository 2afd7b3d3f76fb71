"""How are the members of a feature explained, in requests and answers alike?"""

from __future__ import annotations

FEATURE_KIND = (
    "`boolean`, `static` (a value) or `metered` (a limit on what is used); never another."
)
VALUE = (
    "For `boolean` true or false; for `static` a text, a whole number, or true or false; for "
    "`metered` the limit as a decimal string, in units of the meter, or null for no limit."
)
FEATURE_METER = (
    "The code of the meter that counts a `metered` feature; null is the one that has the feature's "
    "own code."
)
COMBINATION = (
    "What several subscriptions of an account give of a `metered` feature: `additive` is one pool for "
    "all of them, `parallel` a pool for each."
)
ON_CHANGE = (
    "What a change of the limit within a period gives, where usage adds up: `prorate_grant` the share "
    "of the difference that is left of the period, `grant_delta` all of the difference, `grant_full` "
    "all of the new limit, as if nothing had been used."
)
OPTIONS = "The texts that a `static` feature may have as its value; null is any value."
LIMIT_POLICY = (
    "At the limit, `hard` allows no more; `soft` allows more, which is noted as overage; `soft_capped` "
    "allows `soft_cap` more."
)
SOFT_CAP = "How much beyond the limit `soft_capped` allows, in units of the meter."
RESET_KIND = (
    "`billing_cycle` counts anew in each billing period, `calendar` in each `interval` of the calendar "
    "in the account's time zone, `fixed_window` a while after the first use, `never` not at all; with "
    "`sliding_window` only the last while counts, at any moment."
)
RESET_INTERVAL = (
    "Of `calendar`: counted from 1970-01-01, weeks from Monday; so each day, week or month begins "
    "where the calendar's does."
)
WINDOW_SECONDS = (
    "Of `fixed_window` and `sliding_window`: how long the while is, from a minute to 366 days."
)
PRESERVE_OVERAGE = (
    "Whether what was used beyond the limit counts against the next period; else it is forgotten."
)
KEPT_WHEN_UNPAID = (
    "Whether a missing payment takes the feature away only when it takes away everything."
)
ADD_ON = (
    "The code of an optional component: a subscription has the feature while it has that add-on, and "
    "of `metered` ones the limit for each unit of it. Null is the plan itself."
)
