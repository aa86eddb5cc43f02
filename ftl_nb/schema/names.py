"""Names in the two worlds: `get_user` in Python, `getUser` in a schema. Types keep PascalCase in both."""

import keyword
import re

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+[0-9]*|[0-9]+|[^A-Za-z0-9_]+")
_LEADING = re.compile(r"_*")

_GO_KEYWORDS = """
break case chan const continue default defer else fallthrough for func go goto if import interface map package
range return select struct switch type var
"""
GO_KEYWORDS = frozenset(_GO_KEYWORDS.split())


def words(name: str) -> tuple[str, ...]:
    """The words of a name, split at underscores and case changes: `HTTPName` is `HTTP`, `Name`."""
    return tuple(_WORDS.findall(name))


def camel(name: str) -> str:
    """The lower camel case of a name; leading underscores stay, and so does a name that no schema can have.

    >>> camel("get_user"), camel("UserID"), camel("HTTPName"), camel("class_")
    ('getUser', 'userId', 'httpName', 'class')
    """
    if not name.isascii():
        return name
    first, *rest = words(name) or ("",)
    return _leading(name) + first.lower() + "".join(word.capitalize() for word in rest)


def pascal(name: str) -> str:
    """The upper camel case of a name.

    >>> pascal("user_id")
    'UserId'
    """
    return _leading(name) + "".join(word.capitalize() for word in words(name))


def snake(name: str) -> str:
    """The Python name of a schema name; a Python keyword gets an underscore behind it.

    >>> snake("getUser"), snake("orderId2"), snake("from")
    ('get_user', 'order_id2', 'from_')
    """
    plain = _leading(name) + "_".join(word.lower() for word in words(name))
    return plain + "_" if keyword.iskeyword(plain) else plain


def is_identifier(name: str) -> bool:
    """Whether the schema language accepts the name for a declaration."""
    return IDENTIFIER.match(name) is not None


def is_module_name(name: str) -> bool:
    """Whether the schema language accepts the name for a module: an identifier that is no Go keyword."""
    return is_identifier(name) and name not in GO_KEYWORDS


def _leading(name: str) -> str:
    return match.group() if (match := _LEADING.match(name)) else ""
