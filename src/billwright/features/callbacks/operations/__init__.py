"""What can be done with callbacks?"""
