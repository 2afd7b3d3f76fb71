"""How is the European Union's register asked?"""
