"""Writes the page about the events: `python -m understudy.events > docs/events.md`."""

from ._page import page

print(page(), end="")
