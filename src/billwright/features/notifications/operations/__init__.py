"""What can be done with notification requests?"""
