"""What do providers tell of their own accord?"""
