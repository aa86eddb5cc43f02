"""How large a value may be, whichever way it goes."""

BODY_LIMIT = 64 * 2**20
"""Bytes of one JSON text, and so of the body of a call; what is larger goes as a stream."""
