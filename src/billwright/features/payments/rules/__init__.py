"""What do payments decide?"""
