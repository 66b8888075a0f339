"""Weight files are read strictly. A faulty file raises nothing; it gives a reason why the model is missing."""

import io
import json
import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.networks import weights
from audio.networks.silero import SHAPES as SILERO_SHAPES
from audio.networks.silero import Silero, load_silero
from audio.networks.speaker_encoder import SHAPES as ENCODER_SHAPES
from audio.networks.speaker_encoder import SpeakerEncoder, load_encoder
from audio.networks.weights import TORCH_MAGIC, Arrays, MissingModel, load_safetensors, load_torch_legacy

SHAPES = {"one": (2, 3), "two": (4,)}
ONE, TWO = np.arange(6, dtype="<f4").reshape(2, 3), np.arange(4, dtype="<f4") - 2


class FakeDistribution:
    """An installed distribution with its files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def locate_file(self, path: str) -> Path:
        return self._folder / path


@pytest.fixture
def weights_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(weights, "distribution", lambda _: FakeDistribution(tmp_path))
    return tmp_path / "model.bin"


def make_safetensors(table: dict[str, Any] | None = None, body: bytes | None = None) -> bytes:
    header = {
        "__metadata__": {"by": "us"},
        "one": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "two": {"dtype": "F32", "shape": [4], "data_offsets": [24, 40]},
    }
    encoded = json.dumps(header | (table or {})).encode()
    return struct.pack("<Q", len(encoded)) + encoded + (ONE.tobytes() + TWO.tobytes() if body is None else body)


def make_entry(**overrides: Any) -> dict[str, Any]:
    return {"one": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]} | overrides}


def require_arrays(arrays: Arrays | MissingModel) -> Arrays:
    assert isinstance(arrays, dict), arrays
    return arrays


def get_reason(arrays: Arrays | MissingModel) -> str:
    assert isinstance(arrays, MissingModel)
    return arrays.reason


def test_models_load_from_their_wheels_without_import() -> None:
    assert isinstance(load_silero(), Silero) and load_silero() is load_silero()
    assert isinstance(load_encoder(), SpeakerEncoder) and load_encoder() is load_encoder()
    assert not {"silero_vad", "resemblyzer", "torch"} & sys.modules.keys()


def test_safetensors_file_loads(weights_path: Path) -> None:
    weights_path.write_bytes(make_safetensors())
    arrays = require_arrays(load_safetensors("model", "model.bin", SHAPES))
    assert arrays.keys() == SHAPES.keys()
    assert np.array_equal(arrays["one"], ONE) and np.array_equal(arrays["two"], TWO)


INVALID_SAFETENSORS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "damaged"),
    "truncated in its length": (make_safetensors()[:5], "damaged"),
    "truncated in its table": (make_safetensors()[:60], "damaged"),
    "truncated in its arrays": (make_safetensors()[:-4], "damaged"),
    "table of 2^63 bytes": (b"\xff" * 8 + make_safetensors()[8:], "damaged"),
    "table is a list": (struct.pack("<Q", 2) + b"[]", "missing"),
    "table of lists": (struct.pack("<Q", 40_000) + b"[" * 40_000, "damaged"),
    "half precision": (make_safetensors(make_entry(dtype="F16")), "damaged"),
    "offsets before the start": (make_safetensors(make_entry(data_offsets=[-24, 0])), "damaged"),
    "offsets in reverse order": (make_safetensors(make_entry(data_offsets=[24, 0])), "damaged"),
    "another shape": (make_safetensors(make_entry(shape=[3, 2])), "one has the wrong size"),
    "a shape that does not fit": (make_safetensors(make_entry(shape=[2, 4])), "damaged"),
    "one array only": (
        make_safetensors(make_entry())[:8] + make_safetensors(make_entry())[8:].replace(b'"two"', b'"not"'),
        "two is missing",
    ),
    "not a number": (make_safetensors(body=ONE.tobytes() + np.full(4, np.nan, "<f4").tobytes()), "two is damaged"),
}


@pytest.mark.parametrize("name", INVALID_SAFETENSORS)
def test_invalid_safetensors_are_a_missing_model(weights_path: Path, name: str) -> None:
    data, reason = INVALID_SAFETENSORS[name]
    weights_path.write_bytes(data)
    assert reason in get_reason(load_safetensors("model", "model.bin", SHAPES))


class Storage:
    """The reference that torch.save writes in place of the values."""

    def __init__(self, key: str, count: int, kind: str = "FloatStorage") -> None:
        self.persistent_id = ("storage", Global("torch", kind), key, "cpu", count, None)


class Global:
    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Tensor:
    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.state: tuple[object, ...] = (storage, offset, shape, strides, False, OrderedDict())


class Pickler(pickle._Pickler):
    """Writes torch's global names although torch is not installed."""

    write: Callable[[bytes], object]

    def persistent_id(self, obj: Any) -> Any:
        return obj.persistent_id if isinstance(obj, Storage) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Global("torch._utils", "_rebuild_tensor_v2"))
            self.save(obj.state)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)  # type: ignore[misc] # the type stubs do not list this parameter


def pickle_value(value: Any) -> bytes:
    file = io.BytesIO()
    Pickler(file, 2).dump(value)
    return file.getvalue()


def make_legacy_file(
    state: dict[str, Any] | None = None,
    *,
    magic: int = TORCH_MAGIC,
    keys: list[str] | None = None,
    counts: tuple[int, int] = (6, 4),
) -> bytes:
    one = Tensor(Storage("a", 6), 0, (2, 3), (3, 1))
    two = Tensor(Storage("b", 4), 0, (4,), (1,))
    model = {"step": 7, "model_state": OrderedDict({"one": one, "two": two} | (state or {}))}
    head = b"".join(map(pickle_value, (magic, 1001, {"little_endian": True}, model, keys or ["a", "b"])))
    values = zip(counts, (ONE, TWO), strict=True)
    return head + b"".join(struct.pack("<q", count) + array.tobytes() for count, array in values)


def test_legacy_file_loads(weights_path: Path) -> None:
    weights_path.write_bytes(make_legacy_file())
    arrays = require_arrays(load_torch_legacy("model", "model.bin", SHAPES))
    assert np.array_equal(arrays["one"], ONE) and np.array_equal(arrays["two"], TWO)


class FileCreator:
    """Creates a file when an unsafe reader unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Path]]:
        return Path.touch, (self.path,)


def test_code_in_a_legacy_file_never_runs(weights_path: Path) -> None:
    trap = weights_path.parent / "ran"
    files = (
        pickle.dumps(FileCreator(trap)),
        make_legacy_file({"one": FileCreator(trap)}),
        make_legacy_file(magic=FileCreator(trap)),  # type: ignore[arg-type] # a trap in place of a number
    )
    for data in files:
        weights_path.write_bytes(data)
        assert "cannot be used" in get_reason(load_torch_legacy("model", "model.bin", SHAPES))
        assert not trap.exists()
    pickle.loads(pickle.dumps(FileCreator(trap)))  # noqa: S301 - shows that the trap works
    assert trap.exists()


INVALID_LEGACY_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "damaged"),
    "another magic number": (lambda: make_legacy_file(magic=7), "not in the expected format"),
    "a zip, as torch writes now": (lambda: b"PK\x03\x04" + bytes(100), "damaged"),
    "truncated": (lambda: make_legacy_file()[:-1], "damaged"),
    "truncated in a pickle": (lambda: make_legacy_file()[:120], "damaged"),
    "storage of another length than declared": (lambda: make_legacy_file(counts=(5, 4)), "damaged"),
    "storage of negative length": (lambda: make_legacy_file(counts=(-6, 4)), "damaged"),
    "keys of other storages": (lambda: make_legacy_file(keys=["a", "c"]), "damaged"),
    "no such storage": (lambda: make_legacy_file(keys=["a"]), "damaged"),
    "half precision": (
        lambda: make_legacy_file({"one": Tensor(Storage("a", 6, "HalfStorage"), 0, (2, 3), (3, 1))}),
        "damaged",
    ),
    "two lengths for one storage": (
        lambda: make_legacy_file({"two": Tensor(Storage("a", 5), 0, (4,), (1,))}),
        "damaged",
    ),
    "beyond its storage": (lambda: make_legacy_file({"one": Tensor(Storage("a", 6), 2, (2, 3), (3, 1))}), "damaged"),
    "before its storage": (
        lambda: make_legacy_file({"two": Tensor(Storage("a", 6), -6, (4,), (1,))}, keys=["a"]),
        "damaged",
    ),
    "transposed": (lambda: make_legacy_file({"one": Tensor(Storage("a", 6), 0, (2, 3), (1, 2))}), "damaged"),
    "another size": (
        lambda: make_legacy_file({"one": Tensor(Storage("a", 6), 0, (6,), (1,))}),
        "one has the wrong size",
    ),
    "not an array": (lambda: make_legacy_file({"other": Tensor(Storage("a", 6), 0, (6,), (1,)), "one": 7}), "damaged"),
    "a billion values": (lambda: make_legacy_file({"one": Tensor(Storage("a", 6), 0, (10**9,), (1,))}), "damaged"),
}


@pytest.mark.parametrize("name", INVALID_LEGACY_FILES)
def test_invalid_legacy_file_is_a_missing_model(weights_path: Path, name: str) -> None:
    make_file, reason = INVALID_LEGACY_FILES[name]
    weights_path.write_bytes(make_file())
    assert reason in get_reason(load_torch_legacy("model", "model.bin", SHAPES))


def test_absent_file_absent_package_and_too_large_file_are_missing_models(
    weights_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get_reason(load_safetensors("model", "model.bin", SHAPES)) == "model is installed without model.bin."
    weights_path.write_bytes(make_safetensors())
    monkeypatch.setattr(weights, "MAX_BYTES", 10)
    assert get_reason(load_safetensors("model", "model.bin", SHAPES)) == "model.bin of model is too large."
    monkeypatch.undo()
    assert get_reason(load_safetensors("no-such-model", "x", SILERO_SHAPES)) == "no-such-model is not installed."
    assert get_reason(load_torch_legacy("no-such-model", "x", ENCODER_SHAPES)) == "no-such-model is not installed."
