"""The technology the product stands on: time, settings, telemetry, secrets, database and queue."""
