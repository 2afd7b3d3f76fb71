"""Who pays less, how much less, and for how long?"""
