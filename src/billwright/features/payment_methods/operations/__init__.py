"""What can be done with payment methods?"""
