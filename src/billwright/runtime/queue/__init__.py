"""How does work run later, again after a failure, and on time?"""
