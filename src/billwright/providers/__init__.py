"""How does the product call out? One folder per kind, one part per vendor."""
