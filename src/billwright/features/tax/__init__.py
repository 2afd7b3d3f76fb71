"""What tax is due?"""
