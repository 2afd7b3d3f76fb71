"""Which messages reach which people, and what do they say?"""
