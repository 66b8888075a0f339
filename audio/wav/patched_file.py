"""A file that reads as if some of its bytes were others, for decoders that take a header literally."""

from typing import BinaryIO

from audio.wav.riff import UnnamedFile


class PatchedFile(UnnamedFile):
    """The file with `content` in place of the bytes from `offset` on."""

    def __init__(self, file: BinaryIO, offset: int, content: bytes) -> None:
        super().__init__(file)
        self._read, self.read = file.read, self._read_patched
        self._offset, self._content = offset, content

    def _read_patched(self, count: int = -1) -> bytes:
        start = self.tell()
        data = bytearray(self._read(count))
        for position, byte in enumerate(self._content, self._offset - start):
            if 0 <= position < len(data):
                data[position] = byte
        return bytes(data)
