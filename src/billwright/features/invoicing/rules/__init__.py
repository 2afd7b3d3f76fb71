"""What does invoicing decide?"""
