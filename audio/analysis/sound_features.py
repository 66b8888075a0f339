"""What is kept of a recording's sound, so that it can be compared with others without reading its audio again.

Nothing here is biometric. The content hash and the fingerprint identify one recording, not a person: the fingerprint
says where the energies of neighboring bands rise and fall every 32 ms, which differs between two readings of the same
words by the same voice, so a speaker cannot be recognized from it. Voiceprints, which identify a person, are not kept.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from audio.analysis.fingerprint import ContentHash, compute_fingerprint
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.levels.inspection import has_silent_levels
from audio.levels.measure import Levels, measure_levels
from audio.wav.riff import Float32, WavHeader, load_samples


@dataclass(frozen=True, slots=True)
class SoundFeatures:
    """Hash and fingerprint to find copies, and the levels in dBFS. The size is at most 4 kB, however long the sound."""

    content_hash: str
    fingerprint: str
    peak_dbfs: float
    rms_dbfs: float
    noise_floor_dbfs: float

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SoundFeatures | None":
        """Read the values of `as_dict`. None if a value is missing."""
        return cls(**{name: values[name] for name in cls.__slots__}) if values.keys() >= set(cls.__slots__) else None

    def as_dict(self) -> dict[str, Any]:
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}

    def is_silent(self, thresholds: Thresholds = THRESHOLDS) -> bool:
        return has_silent_levels(self.peak_dbfs, self.rms_dbfs, thresholds)


def extract_features(file: BinaryIO, header: WavHeader) -> SoundFeatures:
    """The features of a file that `read_header` accepted. It is read twice."""
    content = ContentHash(header.sample_rate)
    levels = measure_levels(file, header, content.add).levels
    return build_features(content.hexdigest(), levels, load_samples(file, header), header.sample_rate)


def build_features(content_hash: str, levels: Levels, samples: Float32, rate: int) -> SoundFeatures:
    """The features from what an analysis has already measured and loaded."""
    fingerprint = compute_fingerprint(samples, rate)
    return SoundFeatures(content_hash, fingerprint, levels.peak_dbfs, levels.rms_dbfs, levels.noise_floor_dbfs)
