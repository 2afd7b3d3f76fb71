"""What can be done about an unpaid invoice?"""
