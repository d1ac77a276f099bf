"""Named: a Struct made with a wrong argument says whose it was, and which there are."""

from typing import TYPE_CHECKING, Any

import msgspec


class NamedMeta(msgspec.StructMeta):
    """The metaclass of Structs that users make by hand."""

    if not TYPE_CHECKING:  # which know the arguments, and would take these for them

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().__call__(*args, **kwargs)
            except TypeError as error:
                known = cls.__struct_fields__
                wrong = next((name for name in kwargs if name not in known), None)
                if wrong is None:
                    raise TypeError(f"{cls.__name__}: {error}") from None
            from difflib import get_close_matches

            near = get_close_matches(wrong, known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise TypeError(f"{cls.__name__} has no {wrong!r}{hint}; there are {', '.join(known)}")
