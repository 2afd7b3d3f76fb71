"""What do refunds decide?"""
