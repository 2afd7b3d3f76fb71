"""What do promotions decide?"""
