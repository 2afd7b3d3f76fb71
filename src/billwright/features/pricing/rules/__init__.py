"""What does pricing decide?"""
