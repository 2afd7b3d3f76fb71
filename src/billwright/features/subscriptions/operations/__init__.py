"""What can be done with subscriptions?"""
