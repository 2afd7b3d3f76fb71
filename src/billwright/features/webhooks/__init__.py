"""Which systems are told what has happened, and what became of telling them?"""
