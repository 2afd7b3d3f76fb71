"""How do values become JSON in the database, and back?"""

from __future__ import annotations

import msgspec

_encode = msgspec.json.Encoder(decimal_format="string", uuid_format="canonical").encode


def to_json(value: object) -> str:
    """Text for a `jsonb` parameter: instants as RFC 3339, decimals as strings, so exactly."""
    return _encode(value).decode()


# What a `jsonb` column holds, as plain Python values.
from_json = msgspec.json.Decoder().decode
