"""Where a key stands between 0 and 1: the same in every process and on every Python version."""

from hashlib import blake2b

from understudy.configs import Config, ConfigError, describe

from ._errors import StrategyError

_BITS = 53  # as many as a float between 0 and 1 holds exactly


def share_of(key: object, salt: str) -> float:
    """Return the share of a key: a number from 0 up to, but not including, 1.

    Keys have evenly spread shares, and shares that have nothing to do with those under another
    salt. Texts that are equal have the same share, whatever their class; so have whole numbers.

    Raises:
        StrategyError: the key is of a kind that has no stable form.
    """
    text = _text(key)
    salted = f"{len(salt)}:{salt}{text}".encode("utf-8", "surrogatepass")
    digest = blake2b(salted, digest_size=8).digest()
    return (int.from_bytes(digest) >> (64 - _BITS)) / (1 << _BITS)


def _text(key: object) -> str:
    if isinstance(key, str):
        return "text:" + str.__str__(key)
    if isinstance(key, int):
        return f"number:{int(key):x}"
    try:
        return "value:" + Config(key=key).id  # made from canonical JSON
    except ConfigError as error:
        raise StrategyError(
            f'the key of the call is {describe(key)}, which by="key" cannot use: '
            f"give a text, a number or another plain value"
        ) from error
