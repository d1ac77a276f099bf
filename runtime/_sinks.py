from typing import Any


class MemorySink:
    pass


class FileSink:
    pass


class LoggerSink:
    pass


class CallableSink:
    pass


def as_sinks(e: Any) -> list[Any]:
    return []
