"""What does the catalog decide?"""
