"""The typesetters that turn documents into files."""
