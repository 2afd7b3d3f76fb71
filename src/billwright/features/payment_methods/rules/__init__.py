"""What do payment methods decide?"""
