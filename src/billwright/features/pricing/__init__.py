"""What does a quantity cost?"""
