"""What can be done with providers?"""
