"""What does an event look like on its way to an endpoint?"""

from __future__ import annotations

from billwright.features.webhooks.model import ApiVersion, LoggedEvent
from billwright.kernel.id_bounds import made_at
from billwright.runtime.db.json import to_json


def written_event(event: LoggedEvent, api_version: ApiVersion) -> bytes:
    """The body in the form of Standard Webhooks. `data` is the event as the event log answers it; a form
    that an endpoint keeps stays as it is when a newer one comes.
    """
    written = {ApiVersion.V1: _v1}
    return to_json(
        {
            "type": event.type,
            "timestamp": event.occurred_at,
            "data": written[api_version](event),
        }
    ).encode()


def _v1(event: LoggedEvent) -> dict[str, object]:
    return {
        "id": event.id,
        "sequence": event.position,
        "type": event.type,
        "version": event.version,
        "occurred_at": event.occurred_at,
        "recorded_at": made_at(event.id),
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "account_id": event.account_id,
        "data": event.data,
    }
