"""What do callbacks decide?"""
