"""What does a policy make of what happens?"""
