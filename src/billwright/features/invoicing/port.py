"""What does invoicing ask of the outside?"""

from __future__ import annotations

from typing import Protocol

from billwright.features.invoicing.document import InvoiceDocument


class InvoiceRenderer(Protocol):
    def render(self, document: InvoiceDocument) -> bytes:
        """The document as a PDF: the same document gives the same bytes, and no text in it can make
        rendering fail. Blocks for milliseconds; safe to call from several threads.
        """
        ...
