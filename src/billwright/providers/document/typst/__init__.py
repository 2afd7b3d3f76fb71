"""Invoices set by Typst."""
