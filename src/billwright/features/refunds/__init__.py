"""Which money goes back?"""
