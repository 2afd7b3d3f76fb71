"""How does the outside call in?"""
