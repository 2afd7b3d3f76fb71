"""What can be done about taxes?"""
