"""What do entitlements decide?"""
