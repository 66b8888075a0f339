"""Read a WAV whose recorder left 0 as the length of its sound, because it was killed or wrote to a pipe."""

import os
import struct
from typing import BinaryIO, cast

from audio.wav.chunks import WavRefused, list_chunks
from audio.wav.patched_file import PatchedFile

MAX_CHUNK_BYTES = 0xFFFFFFFF


def fill_in_length(file: BinaryIO) -> BinaryIO:
    """The file as if its data chunk reached to its end, if that chunk is empty. libsndfile reads the 0 literally."""
    size = file.seek(0, os.SEEK_END)
    try:
        data = next((chunk for chunk in list_chunks(file, size) if chunk.name == b"data"), None)
    except WavRefused:
        return file
    if not data or data.size:
        return file
    length = struct.pack("<I", min(size - data.offset, MAX_CHUNK_BYTES))
    return cast(BinaryIO, PatchedFile(file, data.offset - len(length), length))
