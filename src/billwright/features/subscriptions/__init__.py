"""Who has subscribed to what, and what happens to it?"""
