"""Which processes are there?"""
