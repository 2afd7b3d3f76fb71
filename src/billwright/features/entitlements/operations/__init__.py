"""What can be done with entitlements?"""
