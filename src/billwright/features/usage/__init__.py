"""How much was used?"""
