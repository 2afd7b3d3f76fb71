"""What is done about an invoice that was not paid?"""
