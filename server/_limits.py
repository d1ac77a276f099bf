"""How much anybody may ask of the server: a request that wants more is refused, with the limit."""

from math import inf

import msgspec

from ._errors import ServerError

MB = 1 << 20


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a server. Sizes are in bytes, times in seconds.

    Attributes:
        body: a body, as it is sent.
        unpacked: a body, when it is no longer compressed; unpacking stops there.
        line: a line of a file of lines.
        document: a document of JSON, such as run.json.
        part: a part of a file.
        file: a whole file.
        metrics: metrics of a run.
        fields: fields of all metrics of a run that are summed up; further ones are kept only.
        depth: how deep what is sent may be nested.
        rate: requests a second of a token, in the long run,
        burst: and at once.
        failures: wrong tokens a second from an address, in the long run,
        failures_burst: and at once.
        stall: how long a body, or the head of a request, may stand still.
        body_seconds: how long a body may take in all.
        silence: how long a running run may be silent until it is LOST.

    Example:
        >>> from understudy.server import Limits
        >>> Limits(rate=10, burst=20).body
        16777216
    """

    __module__ = "understudy.server"

    body: int = 16 * MB
    unpacked: int = 64 * MB
    line: int = MB
    document: int = 4 * MB
    part: int = 8 * MB
    file: int = 1 << 40
    metrics: int = 10_000
    fields: int = 100_000
    depth: int = 100
    rate: float = 200.0
    burst: int = 1_000
    failures: float = 0.5
    failures_burst: int = 20
    stall: float = 30.0
    body_seconds: float = 600.0
    silence: float = 90.0

    def __post_init__(self) -> None:
        for name, value in msgspec.structs.asdict(self).items():
            if not 0 < value < inf:
                raise ServerError(f"the limit {name} is {value}: it has to be greater than 0")
