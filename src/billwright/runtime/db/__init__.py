"""How does the product keep what it knows?"""
