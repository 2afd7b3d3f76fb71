"""What may a provider be asked?"""
