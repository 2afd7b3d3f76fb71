"""Where do people pay whom a message leads here?"""
