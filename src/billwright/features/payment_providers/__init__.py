"""Who can be asked to move money, and how?"""
