"""The Markdown files are tests: each runs from top to bottom in an empty folder.

A block titled by a file name (```yaml title="base.yaml") is written to that file, a Python block
is executed, and one with prompts (>>>) is checked for what it prints.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import settings
from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

settings.register_profile("understudy", deadline=None)  # a loaded machine is no failure
settings.load_profile("understudy")

_FILE_BLOCK = RawFencedCodeBlockLexer(re.compile(r'\w+ title="(?P<name>[^"]+)"\n'))


def parse_files(document: Document) -> Iterable[Region]:
    """Find the blocks that are files."""
    for region in _FILE_BLOCK(document):
        parsed = (region.lexemes["name"], region.lexemes["source"])
        yield Region(region.start, region.end, parsed, write_file)


def write_file(example: Example) -> None:
    """Write one of them."""
    name, text = example.parsed
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def enter_empty_folder(namespace: dict[str, Any]) -> None:
    """Start a document where nothing lies around."""
    namespace["__name__"] = "__main__"
    namespace["_folders"] = (Path.cwd(), tempfile.mkdtemp(prefix="understudy-"))
    os.chdir(namespace["_folders"][1])


def leave_folder(namespace: dict[str, Any]) -> None:
    """Remove what a document made."""
    before, folder = namespace["_folders"]
    os.chdir(before)
    shutil.rmtree(folder)


pytest_collect_file = Sybil(
    parsers=[parse_files, PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    setup=enter_empty_folder,
    teardown=leave_folder,
).pytest()
