"""Which checks does the project run on itself?"""
