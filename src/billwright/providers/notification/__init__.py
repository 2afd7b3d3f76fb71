"""How are messages to people handed to a service that delivers them?"""
