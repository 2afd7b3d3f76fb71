"""What may webhooks refuse?"""

from billwright.kernel.refusal import Category, RefusalCode

event_unknown = RefusalCode("event_unknown", Category.NOT_FOUND, "There is no event {event_id}.")
webhook_endpoint_unknown = RefusalCode(
    "webhook_endpoint_unknown",
    Category.NOT_FOUND,
    "There is no webhook endpoint {webhook_endpoint_id}.",
)
webhook_endpoint_stale = RefusalCode(
    "webhook_endpoint_stale",
    Category.STALE,
    "The webhook endpoint has changed since version {expected}; it is at version {actual}.",
)
webhook_endpoint_disabled = RefusalCode(
    "webhook_endpoint_disabled",
    Category.CONFLICT,
    "The webhook endpoint {webhook_endpoint_id} is disabled; nothing is sent there.",
)
webhook_endpoints_too_many = RefusalCode(
    "webhook_endpoints_too_many",
    Category.CONFLICT,
    "There are {maximum} webhook endpoints already.",
)
webhook_url_invalid = RefusalCode(
    "webhook_url_invalid",
    Category.INVALID,
    "Webhooks go to an https address with a host name, on port 443 or from 1024 on, without a user "
    "name and without a fragment.",
)
webhook_address_private = RefusalCode(
    "webhook_address_private",
    Category.INVALID,
    "Webhooks go to public addresses, and {address} is none.",
)
webhook_event_type_unknown = RefusalCode(
    "webhook_event_type_unknown", Category.INVALID, "There is no type of events {event_type!r}."
)
webhook_replay_running = RefusalCode(
    "webhook_replay_running",
    Category.CONFLICT,
    "A replay to the webhook endpoint {webhook_endpoint_id} is under way.",
)
webhook_replay_too_old = RefusalCode(
    "webhook_replay_too_old",
    Category.INVALID,
    "A replay begins at most {days} days ago and not in the future.",
)
