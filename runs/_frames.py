"""Records in frames, with checksums: the files of wandb, and the event files of tensorboard.

A frame that is broken costs itself; where the next one begins is known by the block in wandb's
files, and by nothing in those of tensorboard. One record at a time is in memory.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

LARGEST: Final = 64 << 20
"""How many bytes a record has at most: of more, nothing that we keep is made."""
CHECKED: Final = 1 << 16
"""Up to which size the bytes of an event are summed up: those of numbers and texts are. Pictures
and the like are larger, are not kept, and are passed over by their length, which is summed up too.
"""

Tell = Callable[[str], None]

_BLOCK: Final = 1 << 15
_WANDB: Final = b":W&B"
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_frame_of_wandb: Final = struct.Struct("<IHB")
_frame_of_events: Final = struct.Struct("<QI")
_sum: Final = struct.Struct("<I")


def wandb_records(path: Path, tell: Tell) -> Iterator[bytes]:
    """Yield the records of a file of wandb: blocks of 32 KiB, as LevelDB writes its log.

    Args:
        path: the file.
        tell: told what is left out.
    """
    with path.open("rb") as file:
        head = file.read(7)
        if not head.startswith(_WANDB):
            tell("a file that is none of wandb's")
            return
        parts: list[bytes] = []
        room = LARGEST
        block, place = head + file.read(_BLOCK - len(head)), len(head)
        while block:
            while len(block) - place >= 7:
                checksum, size, kind = _frame_of_wandb.unpack_from(block, place)
                if not checksum and not size and not kind:  # the rest of the block is empty
                    break
                data = block[place + 7 : place + 7 + size]
                if len(data) < size or crc32(data, crc32(bytes([kind]))) != checksum:
                    tell("a torn record" if len(block) < _BLOCK else "a block that is garbled")
                    parts.clear()
                    break
                place += 7 + size
                if kind in (_FULL, _FIRST):
                    if parts:
                        tell("a torn record")
                    parts, room = [], LARGEST
                elif not parts:  # its beginning is lost, and was told
                    continue
                room -= size
                if room < 0:
                    tell("a record that is too large")
                    parts.clear()
                    continue
                parts.append(data)
                if kind in (_FULL, _LAST):
                    yield b"".join(parts)
                    parts = []
            block, place = file.read(_BLOCK), 0
        if parts:
            tell("a torn record")


def event_records(path: Path, tell: Tell) -> Iterator[bytes]:
    """Yield the records of an event file of tensorboard, which are those of TFRecord.

    Args:
        path: the file.
        tell: told what is left out.
    """
    sums: dict[int, int] = {}
    with path.open("rb", buffering=1 << 20) as file:
        while head := file.read(12):
            if len(head) < 12:
                tell("a torn record")
                return
            size, checksum = _frame_of_events.unpack(head)
            if size not in sums and len(sums) < 10_000:
                sums[size] = masked_crc32c(head[:8])
            if (sums.get(size) or masked_crc32c(head[:8])) != checksum:
                tell("all behind a garbled record")
                return
            if size > LARGEST:
                tell("a record that is too large")
                file.seek(size + 4, 1)
                continue
            data = file.read(size + 4)
            if len(data) < size + 4:
                tell("a torn record")
                return
            data, told = data[:-4], _sum.unpack_from(data, size)[0]
            if size <= CHECKED and masked_crc32c(data) != told:
                tell("a garbled record")
                continue
            yield data


def masked_crc32c(data: bytes) -> int:
    """Return a checksum as TFRecord writes it.

    Example:
        >>> from understudy.runs._frames import crc32c, masked_crc32c
        >>> hex(crc32c(b"123456789")), masked_crc32c(b"") == 0xA282EAD8
        ('0xe3069283', True)
    """
    checksum = crc32c(data)
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFF_FFFF


def crc32c(data: bytes) -> int:
    """Return the checksum CRC-32C, byte by byte: zlib has only the other CRC-32."""
    table, checksum = _TABLE, 0xFFFF_FFFF
    for byte in data:
        checksum = table[(checksum ^ byte) & 0xFF] ^ (checksum >> 8)
    return checksum ^ 0xFFFF_FFFF


def _eight_rounds(byte: int) -> int:
    value = byte
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value


_TABLE: Final = [_eight_rounds(byte) for byte in range(256)]
