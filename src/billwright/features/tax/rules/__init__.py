"""What does tax decide?"""
