"""The Silero network in numpy: the probability of speech in each 32 ms of audio."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from audio.networks.weights import Arrays, MissingModel, load_safetensors
from audio.wav.riff import Float32

CHUNK, CONTEXT = 512, 64
"""Samples for each output of the model, and samples before these that the model gets a second time."""
HIDDEN = 128
SHAPES = {
    "stft_conv.weight": (258, 1, 256),
    "conv1.weight": (128, 129, 3),
    "conv2.weight": (64, 128, 3),
    "conv3.weight": (64, 64, 3),
    "conv4.weight": (128, 64, 3),
    **{f"conv{n}.bias": (size,) for n, size in enumerate((128, 64, 64, 128), start=1)},
    **{f"lstm_cell.weight_{part}": (4 * HIDDEN, HIDDEN) for part in ("ih", "hh")},
    **{f"lstm_cell.bias_{part}": (4 * HIDDEN,) for part in ("ih", "hh")},
    "final_conv.weight": (1, HIDDEN, 1),
    "final_conv.bias": (1,),
}
STRIDES = (1, 2, 2, 1)


@dataclass(slots=True)
class SileroState:
    """What the model keeps from one block of samples to the next."""

    context: Float32
    hidden: Float32
    cell: Float32


class Silero:
    """Short-time spectrum, four convolutions, a recurrent layer, one output: the network in the wheel's own sources."""

    def __init__(self, weights: Arrays) -> None:
        self._basis = weights["stft_conv.weight"][:, 0].T.copy()
        self._convolutions = [_prepare_convolution(weights, n) for n in range(1, len(STRIDES) + 1)]
        # The sigmoid is 0.5 + 0.5 tanh(x / 2). With the inner 1 / 2 in the weights, one tanh serves all four gates.
        halves = np.full(4 * HIDDEN, 0.5, np.float32)
        halves[2 * HIDDEN : 3 * HIDDEN] = 1
        self._input_weights = weights["lstm_cell.weight_ih"].T * halves
        self._recurrent_weights = weights["lstm_cell.weight_hh"].T * halves
        self._bias = (weights["lstm_cell.bias_ih"] + weights["lstm_cell.bias_hh"]) * halves
        self._output_weights, self._output_bias = (
            weights["final_conv.weight"][0, :, 0],
            float(weights["final_conv.bias"][0]),
        )

    @staticmethod
    def create_state() -> SileroState:
        return SileroState(*(np.zeros(size, np.float32) for size in (CONTEXT, HIDDEN, HIDDEN)))

    def compute_probabilities(self, samples: Float32, state: SileroState) -> Float32:
        """Probability of speech in each CHUNK of samples at 16 kHz; updates `state`."""
        joined = np.concatenate((state.context, samples))
        state.context = joined[-CONTEXT:]
        windows = np.lib.stride_tricks.sliding_window_view(joined, CONTEXT + CHUNK)[::CHUNK]
        outputs = self._run_lstm(self._compute_features(windows), state)
        return np.asarray(
            0.5 + 0.5 * np.tanh(0.5 * (np.maximum(outputs, 0) @ self._output_weights + self._output_bias))
        )

    def _compute_features(self, windows: Float32) -> Float32:
        """128 features for each window."""
        filled = np.pad(windows, ((0, 0), (0, CONTEXT)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(filled, 256, axis=1)[:, ::128]
        spectrum = frames @ self._basis
        layer = np.hypot(spectrum[..., :129], spectrum[..., 129:])
        for (weight, bias), stride in zip(self._convolutions, STRIDES, strict=True):
            layer = _apply_convolution(layer, weight, stride) + bias
            np.maximum(layer, 0, out=layer)
        return np.asarray(layer[:, 0])

    def _run_lstm(self, features: Float32, state: SileroState) -> Float32:
        inputs = features @ self._input_weights + self._bias
        outputs = np.empty((len(inputs), HIDDEN), np.float32)
        hidden, cell = state.hidden, state.cell
        for step, gates in enumerate(inputs):
            gates += hidden @ self._recurrent_weights
            np.tanh(gates, out=gates)
            input_gate, forget_gate, candidate, output_gate = gates.reshape(4, HIDDEN)
            cell = 0.5 * ((1 + forget_gate) * cell + (1 + input_gate) * candidate)
            hidden = np.multiply(0.5 + 0.5 * output_gate, np.tanh(cell), out=outputs[step])
        state.hidden, state.cell = hidden.copy(), cell
        return outputs


def _prepare_convolution(weights: Arrays, number: int) -> tuple[Float32, Float32]:
    """(matrix, bias): the matrix has a row for each input at three consecutive times, a column for each output."""
    weight, bias = weights[f"conv{number}.weight"], weights[f"conv{number}.bias"]
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(bias))), bias


def _apply_convolution(layer: Float32, weight: Float32, stride: int) -> Float32:
    """Convolve (windows, times, channels) over three consecutive times, with zeros before and after all times."""
    padded = np.pad(layer, ((0, 0), (1, 1), (0, 0)))
    count = (layer.shape[1] - 1) // stride + 1
    rows = [padded[:, start : start + stride * count : stride][:, :count] for start in range(3)]
    return np.asarray(np.concatenate(rows, axis=2) @ weight)


@cache
def load_silero() -> Silero | MissingModel:
    """The model, loaded once per process."""
    weights = load_safetensors("silero-vad", "silero_vad/data/silero_vad_16k.safetensors", SHAPES)
    return weights if isinstance(weights, MissingModel) else Silero(weights)
