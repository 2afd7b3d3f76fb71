"""What can be done to keep an installation in order?"""
