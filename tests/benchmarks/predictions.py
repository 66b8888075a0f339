"""Compares VoiceHub's findings with what the sandbox marks: `python -m tests.benchmarks.predictions`.

Each recording of the planted set has one defect. The set also has clean clips of the reader, and clips of another. For
each finding the table has the recordings that got it, those of them that the sandbox marked, and two shares: precision
(of those with the finding, how many were marked) and recall (of all marked recordings, how many had the finding).
"""

import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from audio.analysis.analyze import analyze_recording
from audio.analysis.compare import SetClip, compare_recordings
from audio.analysis.sound_features import extract_features
from audio.findings.catalog import EXCLUSION_LABELS
from audio.networks.speaker_match import compute_centroid, compute_voiceprint, judge_speaker
from audio.wav.riff import load_samples, read_header
from sandbox.clip_evaluation import AudioClip, evaluate_clips
from tests.support.clips import load_speech_clips, simulate_recording
from tests.support.planted_defects import PLANTED_DEFECTS
from tests.support.wav import make_wav_bytes

RATE = 48000
READER, OTHER_READER = "slt", "rms"


def make_planted_set() -> dict[str, bytes]:
    """WAV files by name: one for each defect that this rate can have, and clean clips of both readers."""
    clips = {
        f"defect: {name}": defect.make(RATE).samples for name, defect in PLANTED_DEFECTS.items() if RATE in defect.rates
    }
    for name, samples in load_speech_clips().items():
        if name.startswith((READER, OTHER_READER)):
            clips[f"clean: {name}"] = simulate_recording(samples, RATE)
    return {name: make_wav_bytes(samples, rate=RATE) for name, samples in clips.items()}


def find_codes(files: dict[str, bytes]) -> dict[str, set[str]]:
    """The codes of VoiceHub's findings for each file: of its own analysis and of the comparison."""
    codes, sounds, prints = {}, {}, {}
    for name, data in files.items():
        file = BytesIO(data)
        header = read_header(file)
        codes[name] = {finding.code for finding in analyze_recording(file, header).findings}
        sounds[name] = extract_features(file, header)
        prints[name] = compute_voiceprint(load_samples(file, header), header.sample_rate)
    center = compute_centroid(prints.values())
    report = compare_recordings(
        SetClip(name, name, sound, speaker=judge_speaker(prints[name], center)) for name, sound in sounds.items()
    )
    for name, findings in report.clips.items():
        codes[name] |= {finding.code for finding in findings}
    return codes


def find_marked(files: dict[str, bytes]) -> set[str]:
    """The names of the files that the sandbox finds silent, or an outlier."""
    with tempfile.TemporaryDirectory() as folder:
        clips = []
        for number, (name, data) in enumerate(files.items()):
            path = Path(folder) / f"{number}.wav"
            path.write_bytes(data)
            clips.append(AudioClip(name, path))
        evaluated = evaluate_clips(clips).clips
    return {name for name, clip in evaluated.items() if clip.is_silent or clip.is_outlier}


def list_table_rows(codes: dict[str, set[str]], marked: set[str]) -> Iterator[str]:
    yield f"{'finding':<24}{'left out':>9}{'found':>7}{'flagged':>8}{'precision':>11}{'recall':>8}"
    groups = {code: {name for name in codes if code in codes[name]} for code in sorted(set().union(*codes.values()))}
    groups["any that leaves out"] = {name for name in codes if not codes[name].isdisjoint(EXCLUSION_LABELS)}
    for code, found in groups.items():
        hits = len(found & marked)
        precision, recall = hits / len(found) if found else 0.0, hits / len(marked) if marked else 0.0
        is_left_out = "yes" if code in EXCLUSION_LABELS else ""
        yield f"{code:<24}{is_left_out:>9}{len(found):>7}{hits:>8}{precision:>11.2f}{recall:>8.2f}"


def main() -> None:
    files = make_planted_set()
    codes, marked = find_codes(files), find_marked(files)
    print(f"{len(files)} recordings, {len(marked)} flagged by the sandbox")  # noqa: T201 - a benchmark prints its result
    for line in list_table_rows(codes, marked):
        print(line)  # noqa: T201 - a benchmark prints its result
    for name in sorted(marked):
        print(f"marked: {name} ({', '.join(sorted(codes[name])) or 'no finding'})")  # noqa: T201 - a benchmark prints its result


if __name__ == "__main__":
    main()
