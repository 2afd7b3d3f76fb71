"""What do webhooks decide?"""
