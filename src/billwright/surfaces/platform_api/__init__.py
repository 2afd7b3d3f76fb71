"""The platform API: billing for the seller's own platform."""
