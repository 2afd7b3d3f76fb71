"""Which cards can somebody leave who plays the payer?

Like test cards of real providers, each is the same card whoever leaves it.
"""

from __future__ import annotations

CARDS = {
    "4242": "Visa •••• 4242",
    "4444": "Mastercard •••• 4444",
    "1117": "Discover •••• 1117",
    "0005": "American Express •••• 0005",
}
"""Their labels, by the digits that name them."""

DEFAULT_CARD = "4242"
