"""What do tests of the commands stand on?"""

from tests.entrypoints.conftest import fresh_database

__all__ = ["fresh_database"]
