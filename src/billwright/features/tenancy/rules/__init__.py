"""What does tenancy decide?"""
