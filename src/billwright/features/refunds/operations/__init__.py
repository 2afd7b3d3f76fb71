"""What can be done with money that goes back?"""
