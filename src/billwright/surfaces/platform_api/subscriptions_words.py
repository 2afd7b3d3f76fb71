"""How are the members of a subscription explained, in requests and answers alike?"""

from __future__ import annotations

QUANTITIES = (
    "Units by the code of a component; a component that is not named has one, an add-on none."
)
QUANTITIES_KEPT = (
    "Units by the code of a component. Components that are not named keep theirs, as far as the "
    "version has them; new ones have one."
)
ACTIVATION = (
    "`on_first_payment`: access begins once the first invoice is paid; after 23 hours without the "
    "payment the subscription expires."
)
RENEWS = "False: it ends with its period."
TRIAL_DAYS = (
    "Left out: the plan's; 0: no trial. A customer, by its account and its mail address, has one trial "
    "of a plan: one that is asked for again is refused, and the plan's own is not given again, so that "
    "the subscription starts as a paid one and its `trial` is null."
)
TRIAL_UNTIL = "When the trial ends, in place of `trial_days`; within two years after the start."
ALLOW_REPEATED_TRIAL = "Give the trial also to a customer that has had one of this plan."
TRIAL_STATE = (
    "`converted`: it led into the paid life; `ended`: it was over without that, and the subscription is "
    "paused or has ended; `canceled`: it was canceled before it was over."
)
ORIGINAL_END = "When it was to end when it was planned."
REMINDER_AT = (
    "When people are reminded of it; null when they are not, or were. It comes three days before the end "
    "of a trial, one day where that has up to three days, and seven days before the renewal of a period "
    "of half a year or more."
)
BOUNDARY = (
    "What happens then as things stand: the next period begins and is billed (`continue`), service "
    "waits for a payment method (`pause`), or the subscription ends (`end`)."
)
CANCELLATION_MODE = (
    "How it was asked for: `now`, with the running period (`period_end`), or `at` an instant; null for "
    "an end that came by itself."
)
TRIAL_END_BEHAVIOR = "What happens when the trial ends and the account has no payment method."
EFFECTIVE = (
    "`now`, with the next renewal (`period_end`), or `at` the instant `effective_at` of the running "
    "period. What comes later is pending until then; a newer change takes its place."
)
EFFECTIVE_AT = (
    "For `at`: when. For `now`: the instant to reckon with, such as the `proration_at` of a preview; "
    "it may not lie before the last change or the period's start."
)
PRORATION = (
    "What the change costs: the difference for the rest of the period, invoiced at once "
    "(`invoice_now`) or with the next invoice (`next_invoice`); nothing, the new prices hold from the "
    "renewal on (`none`); or a whole new period from now on without a credit for the old one "
    "(`full_reset`). Nothing is owed in a trial."
)
ON_PAYMENT_FAILURE = (
    "What becomes of a change that takes effect and is invoiced now when the first automatic "
    "collection of that invoice is declined: `keep_old` undoes it, as if it had never been, and its "
    "invoice is void; `apply_and_past_due` keeps it, and the subscription is past due. A change is not "
    "undone once anything else has happened to the subscription, such as a renewal, nor on an account "
    "without a payment method, which pays by transfer. What is credited that was not invoiced yet is "
    "invoiced together with it, and not undone either."
)
PAUSE_PRORATION = (
    "`none`: what was paid for waits, and goes on when it resumes within the period. `credit`: the "
    "rest is credited, and the resumption begins a new period."
)
RESUMES_AT = "When it resumes by itself; null: when it is asked to."
COLLECTION = (
    "What becomes of invoices meanwhile: they stay drafts, or are written off as uncollectible or "
    "void as soon as they are made. Service and periods go on."
)
COLLECTION_RESUMES_AT = "From when on invoices are collected again; null: until that is asked for."
CANCELLATION_PRORATION = (
    "What becomes of the unused part that was invoiced in advance: nothing, a credit note whose "
    "amount stays with the account, or one whose amount is to be refunded."
)
FINAL_USAGE = "Whether usage that was not invoiced yet is invoiced when it ends."
FEEDBACK = "Why the customer leaves, in its own view."
COMMENT = "In the customer's own words."

RECKONED_AT = (
    "The `proration_at` of a preview, so that the same amounts come out: an instant of the running "
    "period, not in the future nor before the last change. Left out: now."
)
