"""What can be done with promotions?"""
