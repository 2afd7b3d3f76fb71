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
