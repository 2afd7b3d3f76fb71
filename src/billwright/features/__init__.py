"""What does the product do? One folder per noun."""
