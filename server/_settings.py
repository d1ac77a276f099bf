"""How a server is set up: by arguments, and by the variables of the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from ._errors import ServerError
from ._limits import Limits

_VARIABLE: Final = "UNDERSTUDY_SERVER_"


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a server is set up.

    Attributes:
        host: where it listens,
        port: and at which port; 0 takes a free one.
        data: the folder of its database and of the files, where nothing else is said.
        database: the address of a PostgreSQL database, `postgresql://...`.
        files: where files are kept: a folder, or `s3://bucket/prefix`.
        limits: how much anybody may ask for.

    Example:
        >>> from understudy.server import ServerSettings
        >>> ServerSettings(port=0).data.name
        'understudy-server'
    """

    __module__ = "understudy.server"

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8780
    data: Path = Path("understudy-server")
    database: str | None = None
    files: str | None = None
    limits: Limits = Limits()

    @classmethod
    def found(
        cls, given: Mapping[str, Any], environment: Mapping[str, str] = os.environ
    ) -> "ServerSettings":
        """Return the settings: what is given, else what the environment says, else the usual.

        `UNDERSTUDY_SERVER_PORT` is the port, `UNDERSTUDY_SERVER_RATE` the rate of the limits, and
        so on.

        Args:
            given: what was asked for; what is None was not.
            environment: the variables.

        Raises:
            ServerError: a variable is none that is known, or says nothing that can be.

        Example:
            >>> from understudy.server import ServerSettings
            >>> ServerSettings.found({}, {"UNDERSTUDY_SERVER_RATE": "10"}).limits.rate
            10.0
        """
        said = {
            name.removeprefix(_VARIABLE).lower(): text
            for name, text in environment.items()
            if name.startswith(_VARIABLE)
        }
        limits = {name: said.pop(name) for name in Limits.__struct_fields__ if name in said}
        if strangers := said.keys() - {*cls.__struct_fields__} | said.keys() & {"limits"}:
            name = min(strangers).upper()
            known = ", ".join(
                field.upper() for field in (*cls.__struct_fields__[:-1], *Limits.__struct_fields__)
            )
            raise ServerError(
                f"{_VARIABLE}{name} means nothing: after {_VARIABLE} there may stand {known}"
            )
        said.update({name: value for name, value in given.items() if value is not None})
        try:
            return msgspec.convert({**said, "limits": limits}, cls, strict=False, dec_hook=_path)
        except msgspec.ValidationError as error:
            raise ServerError(f"the settings of the server are not understood: {error}") from None


def _path(kind: type, value: Any) -> Any:
    return kind(value)
