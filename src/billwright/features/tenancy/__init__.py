"""Whose billing is it? A tenant is a seller's platform; everything else belongs to one."""
