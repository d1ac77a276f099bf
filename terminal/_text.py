"""Texts of strangers, for terminals."""


def printable(text: object) -> str:
    r"""Return a text in one line that does nothing to a terminal, whatever it says.

    Example:
        >>> from understudy.terminal import printable
        >>> printable("two\nlines"), printable("\x1b[31mred")
        ('two lines', '\\x1b[31mred')
    """
    line = str(text)
    return line if line.isprintable() else "".join(map(_shown, line))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\n\t" else repr(character)[1:-1]
