"""How fast is Billwright, beside the limits of the machine that it runs on?"""
