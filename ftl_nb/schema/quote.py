"""Double-quoted strings as the schema language writes them: the string literals of Go.

Bytes that are no UTF-8 live in a `str` as surrogate escapes (PEP 383).
"""

import re

_NAMED = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v", "\\": "\\", '"': '"'}
_NAMES = {escape: char for char, escape in _NAMED.items()}
_ESCAPE = re.compile(
    r'\\(?:(?P<named>[abfnrtv\\"])|x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})'
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<bad>.|\Z))",
    re.DOTALL,
)


def quote(text: str) -> str:
    """The quoted form; printable Unicode is kept as it is.

    >>> print(quote('say "hi"\\n'))
    "say \\"hi\\"\\n"
    """
    return '"' + "".join(map(_escaped, text)) + '"'


def unquote(token: str) -> str:
    """The value of a quoted string, which may hold raw line breaks.

    Raises:
        ValueError: an escape that does not exist, or a number in one that is no character or byte.
    """
    parts: list[bytes] = []
    body, end = token[1:-1], 0
    for match in _ESCAPE.finditer(body):
        parts += _bytes(body[end : match.start()]), _unescaped(match)
        end = match.end()
    parts.append(_bytes(body[end:]))
    return b"".join(parts).decode("utf-8", "surrogateescape")


def _escaped(char: str) -> str:
    code = ord(char)
    if char in _NAMED:
        return "\\" + _NAMED[char]
    if char.isprintable():
        return char
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unescaped(match: re.Match[str]) -> bytes:
    kind, digits = match.lastgroup, match.group(match.lastgroup or 0)
    if kind == "named":
        return _NAMES[digits].encode()
    if kind == "bad":
        raise ValueError(f"no escape {match.group()!r}")
    value = int(digits, 8 if kind == "octal" else 16)
    if kind in ("byte", "octal"):
        return bytes((value,))
    return chr(value).encode()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
