"""What can be done about usage?"""
