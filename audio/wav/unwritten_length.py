"""Read a WAV whose recorder left 0 as the length of its sound, because it was killed or wrote to a pipe."""

import os
import struct
from typing import BinaryIO, cast

from audio.wav.chunks import Chunk, WavRefused, list_chunks
from audio.wav.riff import UnnamedFile

MAX_CHUNK_BYTES = 0xFFFFFFFF


def fill_in_length(file: BinaryIO) -> BinaryIO:
    """The file as if its data chunk reached to its end, if that chunk is empty. libsndfile reads the 0 literally."""
    size = file.seek(0, os.SEEK_END)
    try:
        data = next((chunk for chunk in list_chunks(file, size) if chunk.name == b"data"), None)
    except WavRefused:
        return file
    return cast(BinaryIO, _FilledInLength(file, data, size)) if data and data.size == 0 else file


class _FilledInLength(UnnamedFile):
    def __init__(self, file: BinaryIO, data: Chunk, size: int) -> None:
        super().__init__(file)
        self._read, self.read = file.read, self._read_filled_in
        self._offset, self._length = data.offset - 4, struct.pack("<I", min(size - data.offset, MAX_CHUNK_BYTES))

    def _read_filled_in(self, count: int = -1) -> bytes:
        start = self.tell()
        content = bytearray(self._read(count))
        for position, byte in enumerate(self._length, self._offset - start):
            if 0 <= position < len(content):
                content[position] = byte
        return bytes(content)
