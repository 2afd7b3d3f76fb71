"""How do signed messages reach systems that asked for them?"""
