"""Which events is an endpoint told of?"""

from __future__ import annotations

from collections.abc import Collection

from billwright.features.webhooks.errors import webhook_event_type_unknown
from billwright.features.webhooks.events import WebhookEndpointTested
from billwright.features.webhooks.model import EVERY_TYPE, Endpoint, LoggedEvent


def is_told(endpoint: Endpoint, event: LoggedEvent) -> bool:
    """Whether the endpoint has subscribed to the event; a test is told to the one that it is of."""
    if event.type == WebhookEndpointTested.type:
        return event.subject_id == endpoint.id
    return EVERY_TYPE in endpoint.event_types or event.type in endpoint.event_types


def is_new(endpoint: Endpoint, event: LoggedEvent) -> bool:
    """Whether the event happened while the endpoint was listening and has not been looked at for it."""
    return event.position > endpoint.fanned_out_to and event.id > endpoint.delivers_from


def checked_types(wanted: Collection[str], *, known: Collection[str]) -> tuple[str, ...]:
    """The types, sorted and each once; `*`, which is every one, stands alone.

    Refuses: `webhook_event_type_unknown`.
    """
    if EVERY_TYPE in wanted:
        return (EVERY_TYPE,)
    for index, event_type in enumerate(wanted):
        if event_type not in known:
            raise webhook_event_type_unknown(pointer=f"/event_types/{index}", event_type=event_type)
    return tuple(sorted(set(wanted)))
