"""Which ways to pay have accounts left?"""
