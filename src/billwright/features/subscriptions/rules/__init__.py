"""What do subscriptions decide?"""
