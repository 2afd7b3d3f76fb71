"""What is owed, and on which document does it stand?"""
