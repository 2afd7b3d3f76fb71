"""What is decided about usage?"""
