"""Which rules does `python -m tools.tidy` apply?"""
