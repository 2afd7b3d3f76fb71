"""What do notifications decide?"""
