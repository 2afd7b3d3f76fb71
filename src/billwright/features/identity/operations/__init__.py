"""What can be done with identities?"""
