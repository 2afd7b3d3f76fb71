"""Which money has come, and for what?"""
