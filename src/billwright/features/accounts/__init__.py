"""Who pays? An account is a paying customer of the tenant."""
