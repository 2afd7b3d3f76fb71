"""The manager API: the wire format of existing clients over the one core."""
