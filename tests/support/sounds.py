"""Makes audio files in the formats that users upload."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from audio.datasets.clips import Clip
from audio.wav.riff import read_header
from tests.support.wav import SAMPLE_FOLDER

FloatArray = NDArray[np.float64]


def load_sample_voice(name: str = "slt-01") -> tuple[FloatArray, int]:
    """Return a clip of the sample studio, and its sample rate."""
    samples, rate = soundfile.read(SAMPLE_FOLDER / f"{name}.flac")
    return np.asarray(samples), int(rate)


def make_clip_from_wav(name: str, data: bytes) -> Clip:
    header = read_header(io.BytesIO(data))
    sha256 = hashlib.sha256(data).hexdigest()
    return Clip(name, sha256, header.sample_rate, header.frames, lambda: io.BytesIO(data))


def encode_with_libsndfile(samples: FloatArray, rate: int, kind: str, subtype: str) -> bytes:
    """Encode samples. Their shape is (frames,) or (frames, channels)."""
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind, subtype=subtype)
    return out.getvalue()


class _Pipe:
    """A file that cannot seek, so its header states no length, as in a recording from a browser."""

    def __init__(self, file: io.BytesIO) -> None:
        self.write: Callable[[bytes], int] = file.write


def encode_with_ffmpeg(samples: FloatArray, rate: int, kind: str, codec: str, live: bool = False) -> bytes:
    """Encode samples. Their shape is (frames,) or (frames, 2)."""
    out = io.BytesIO()
    planes = np.atleast_2d(samples.T).astype(np.float32)
    layout = "mono" if len(planes) == 1 else "stereo"
    with av.open(_Pipe(out) if live else out, "w", format=kind, options={"live": "1"} if live else {}) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout=layout)
        full_frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), format="fltp", layout=layout)
        full_frame.sample_rate, full_frame.pts = rate, 0
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.codec_context.format.name, layout, rate, frame_size=size)
        for frame in (*resampler.resample(full_frame), *resampler.resample(None)):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def make_video_without_sound() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream: Any = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    return out.getvalue()
