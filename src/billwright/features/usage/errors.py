"""What may usage refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

usage_event_differs = RefusalCode(
    "usage_event_differs",
    Category.CONFLICT,
    "The event {event_id} of {source} was recorded with other values; mend it by another event.",
)
usage_events_too_many = RefusalCode(
    "usage_events_too_many",
    Category.INVALID,
    "At most {limit} events are recorded at a time, not {count}.",
)
usage_quantity_invalid = RefusalCode(
    "usage_quantity_invalid",
    Category.INVALID,
    "The quantity {quantity} of the event {event_id} has more than 14 digits before or 6 behind the "
    "point.",
)
usage_event_unknown = RefusalCode(
    "usage_event_unknown", Category.INVALID, "There is no event {event_id} of {source} to correct."
)
usage_event_corrected = RefusalCode(
    "usage_event_corrected",
    Category.CONFLICT,
    "The event {event_id} of {source} was corrected before; correct what took its place.",
)
usage_cancellation_final = RefusalCode(
    "usage_cancellation_final",
    Category.CONFLICT,
    "The event {event_id} of {source} only takes another one away; record that one's usage anew.",
)
meter_unknown = RefusalCode("meter_unknown", Category.NOT_FOUND, "There is no meter {meter_code}.")
meter_code_taken = RefusalCode(
    "meter_code_taken", Category.CONFLICT, "A meter with the code {meter_code} exists already."
)
meter_stale = RefusalCode(
    "meter_stale",
    Category.STALE,
    "The meter {meter_code} has changed since revision {expected}; it is at revision {actual}.",
)
meter_archived = RefusalCode(
    "meter_archived", Category.CONFLICT, "The meter {meter_code} is archived and stays as it is."
)
meter_definition_unfit = RefusalCode(
    "meter_definition_unfit", Category.INVALID, "The member {member} does not fit: {why}"
)
