"""What does identity decide?"""
