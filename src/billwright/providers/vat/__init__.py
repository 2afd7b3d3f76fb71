"""Who knows whether a VAT id is registered?"""
