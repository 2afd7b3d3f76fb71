"""What can be done with webhooks and the event log?"""
