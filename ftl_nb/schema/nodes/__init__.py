"""The node model of the schema language."""
