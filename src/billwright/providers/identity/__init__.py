"""Who vouches for people who sign in elsewhere?"""
