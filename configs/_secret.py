"""Secrets: values whose key says that they are not for everybody's eyes."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

HIDDEN: Final = "***"
"""What stands for a secret, wherever values are shown."""

_ANYWHERE: Final = (
    *("password", "passwd", "passphrase", "secret", "credential", "authorization", "cookie"),
    *("apikey", "privatekey", "accesskey", "connectionstring"),
)
_AT_THE_END: Final = ("token", "auth", "jwt", "bearer", "pwd")
_NO_LETTER: Final = re.compile(r"[^a-z0-9]")


@lru_cache(maxsize=1024)
def is_secret(key: str) -> bool:
    """Whether a key says that its value is a secret; how it is written does not matter.

    Example:
        >>> from understudy.configs import is_secret
        >>> is_secret("OPENAI_API_KEY"), is_secret("accessToken"), is_secret("Set-Cookie")
        (True, True, True)
        >>> is_secret("max_tokens"), is_secret("key")
        (False, False)
    """
    letters = _NO_LETTER.sub("", key.lower())
    return any(word in letters for word in _ANYWHERE) or letters.endswith(_AT_THE_END)


def has_secret(path: Iterable[str | int]) -> bool:
    """Whether one of the keys of a path says that what is under it is a secret."""
    return any(isinstance(key, str) and is_secret(key) for key in path)
