"""Compute a speaker embedding of 256 numbers: the GE2E speaker encoder in numpy.

Wan and others, "Generalized End-to-End Loss for Speaker Verification" (2018). The weights come from the Resemblyzer
wheel (Apache-2.0), the forward pass is our own: mel spectrogram, three recurrent layers over 1.6 seconds, a projection.
"""

from functools import cache

import numpy as np

from audio.networks.weights import Arrays, MissingModel, load_torch_legacy
from audio.wav.riff import Float32

RATE = 16000
WINDOW, HOP = 400, 160
BANDS = 40
HIDDEN = SIZE = 256
LAYERS = 3
FRAMES = 160
"""Spectra in one window of the encoder: 1.6 seconds."""
STEP = 77
"""Spectra from one window to the next: 1.3 windows per second."""
MIN_FILLED_SHARE = 0.75
"""The last window is excluded if sound fills less than this share, unless it is the only one."""
SHAPES = {
    **{f"lstm.weight_ih_l{layer}": (4 * HIDDEN, HIDDEN if layer else BANDS) for layer in range(LAYERS)},
    **{f"lstm.weight_hh_l{layer}": (4 * HIDDEN, HIDDEN) for layer in range(LAYERS)},
    **{f"lstm.bias_{part}_l{layer}": (4 * HIDDEN,) for layer in range(LAYERS) for part in ("ih", "hh")},
    "linear.weight": (SIZE, HIDDEN),
    "linear.bias": (SIZE,),
}


class SpeakerEncoder:
    def __init__(self, weights: Arrays) -> None:
        # The sigmoid is 0.5 + 0.5 tanh(x / 2). With the inner 1 / 2 in the weights, one tanh serves all four gates.
        halves = np.full(4 * HIDDEN, 0.5, np.float32)
        halves[2 * HIDDEN : 3 * HIDDEN] = 1
        self._layers = [
            (
                weights[f"lstm.weight_ih_l{layer}"].T * halves,
                weights[f"lstm.weight_hh_l{layer}"].T * halves,
                (weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"]) * halves,
            )
            for layer in range(LAYERS)
        ]
        self._projection, self._offset = weights["linear.weight"].T.copy(), weights["linear.bias"]

    def encode(self, samples: Float32) -> Float32:
        """A unit vector for mono samples at RATE: the mean over windows of 1.6 seconds."""
        starts = _list_window_starts(len(samples))
        spectra = _compute_mel_spectra(np.pad(samples, (0, max(0, (starts[-1] + FRAMES) * HOP - len(samples)))))
        vectors = self._encode_windows(np.stack([spectra[start : start + FRAMES] for start in starts]))
        return normalize_vector(vectors.mean(axis=0))

    def _encode_windows(self, spectra: Float32) -> Float32:
        """Encode spectra of shape (windows, FRAMES, BANDS) as unit vectors of shape (windows, SIZE)."""
        layer = np.ascontiguousarray(spectra.transpose(1, 0, 2))
        for input_weights, recurrent_weights, bias in self._layers:
            layer = _run_lstm(np.tensordot(layer, input_weights, 1) + bias, recurrent_weights)
        projected = np.maximum(layer[-1] @ self._projection + self._offset, 0)
        return np.asarray(projected / np.linalg.norm(projected, axis=1, keepdims=True).clip(1e-6))


def normalize_vector(vector: Float32) -> Float32:
    """Scale to length one."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


def _run_lstm(inputs: Float32, recurrent_weights: Float32) -> Float32:
    """Run an LSTM over inputs of shape (times, windows, gates). Overwrites `inputs`."""
    outputs = np.empty((*inputs.shape[:2], HIDDEN), np.float32)
    hidden = cell = np.zeros(outputs.shape[1:], np.float32)
    for time, gates in enumerate(inputs):
        gates += hidden @ recurrent_weights
        np.tanh(gates, out=gates)
        input_gate, forget_gate, candidate, output_gate = (
            gates[:, start : start + HIDDEN] for start in range(0, 4 * HIDDEN, HIDDEN)
        )
        cell = 0.5 * ((1 + forget_gate) * cell + (1 + input_gate) * candidate)
        hidden = np.multiply(0.5 + 0.5 * output_gate, np.tanh(cell), out=outputs[time])
    return outputs


def _list_window_starts(count: int) -> list[int]:
    """The first spectrum of each window, for `count` samples."""
    spectra = -(-(count + 1) // HOP)
    starts = list(range(0, max(1, spectra - FRAMES + STEP + 1), STEP))
    filled = (count - starts[-1] * HOP) / (FRAMES * HOP)
    return starts[:-1] if len(starts) > 1 and filled < MIN_FILLED_SHARE else starts


def _compute_mel_spectra(samples: Float32) -> Float32:
    """Power in mel bands, (spectra, BANDS), one spectrum centered on every HOP-th sample."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, WINDOW // 2), WINDOW)[::HOP]
    taper = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    return np.asarray(np.abs(np.fft.rfft(frames * taper, axis=1)).astype(np.float32) ** 2 @ _build_mel_bank())


@cache
def _build_mel_bank() -> Float32:
    """(frequencies, BANDS): triangles of equal area, evenly spaced on Slaney's mel scale from 0 to 8 kHz."""
    edges = _convert_to_hertz(np.linspace(0, _convert_to_mels(RATE / 2), BANDS + 2))
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rise, fall)) * 2 / (edges[2:] - edges[:-2])
    return np.asarray(triangles, np.float32)


# Linear to 1000 Hz (15 mels), and logarithmic above: 27 mels from there to 6400 Hz.
def _convert_to_mels(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def _convert_to_hertz(mels: "np.typing.NDArray[np.float64]") -> "np.typing.NDArray[np.float64]":
    return np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))


@cache
def load_encoder() -> SpeakerEncoder | MissingModel:
    """The model, loaded once per process."""
    weights = load_torch_legacy("Resemblyzer", "resemblyzer/pretrained.pt", SHAPES)
    return weights if isinstance(weights, MissingModel) else SpeakerEncoder(weights)
