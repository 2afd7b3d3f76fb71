"""What is decided about accounts?"""
