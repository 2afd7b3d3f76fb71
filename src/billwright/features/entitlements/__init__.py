"""What may an account use, right now?"""
