"""Measures the cost of a submit: `python -m tests.benchmarks.submit [RECORDINGS] [MEGABYTES]` (500 of each).

First the Resemble v2 adapter sends recordings one by one to the sandbox. This is compared with a plain loop of
`requests` that makes the same calls, like a script written in five minutes. The adapter opens a connection for each
call, enforces its deadline, limits the size of a response and records each id. Then the Resemble v1 adapter packs and
PUTs an archive, and its memory is measured.
"""

import base64
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import requests

from audio.datasets.archive_writer import DatasetEntry
from audio.datasets.package import pack_archive
from providers.resemble_v1.adapter import ResembleV1
from providers.resemble_v2.adapter import ResembleV2
from providers.types import BuildSpec, ClipUpload, Handover, Tier, UploadFile
from tests.providers.factories import load_statement, make_file_ref
from tests.providers.journal import MemoryJournal
from tests.support.sandbox import SandboxProcess
from tests.support.session import build_environment
from tests.support.wav import make_speech_like, make_wav_bytes

RECORDINGS, MEGABYTES = 500, 500
CLIP_SECONDS = 4.0
VARIANTS = 10
ROUNDS = 3
LARGE_CLIP = 5_000_000  # bytes of each clip in the archive
ENDLESS_TRAINING = 1e6  # seconds, so that the sandbox analyzes no audio during a measurement


def make_clips(count: int) -> list[ClipUpload]:
    variants = [make_wav_bytes(make_speech_like(CLIP_SECONDS, pitch=90.0 + 4 * step)) for step in range(VARIANTS)]
    names = [f"line-{number:04}" for number in range(count)]
    return [
        ClipUpload(name, name, "Some words.", make_file_ref(f"{name}.wav", variants[index % VARIANTS]))
        for index, name in enumerate(names)
    ]


def make_spec(
    handover: Handover, tier: Tier, clips: list[ClipUpload], pack: Callable[[], UploadFile] | None = None
) -> BuildSpec:
    return BuildSpec(
        reference=f"vh-{uuid4().hex[:12]}",
        tier=tier,
        language="en-US",
        handover=handover,
        consent=make_file_ref("consent.wav", load_statement()),
        clips=tuple(clips),
        pack_file=pack,
    )


# --- recordings, one by one ---


def submit_by_adapter(address: str, clips: list[ClipUpload]) -> None:
    spec = make_spec(Handover.RECORDINGS, Tier.RAPID, clips)
    with ResembleV2("only-a-benchmark", sandbox_url=address, sandboxed=True) as provider:
        provider.submit_build(spec, MemoryJournal(transcripts={clip.key: clip.transcript for clip in clips}))


def submit_by_script(address: str, clips: list[ClipUpload], http: ModuleType | requests.Session) -> None:
    """Make the calls of the adapter in the same order, and read only ids from the responses."""
    url, key = f"{address}/resemble/api/v2/voices", {"Authorization": "Bearer only-a-benchmark"}
    consent = base64.b64encode(load_statement()).decode()
    body = {"name": f"vh-{uuid4().hex[:12]}", "voice_type": "rapid", "language": "en-US", "consent": consent}
    voice = f"{url}/{http.post(url, json=body, headers=key).json()['item']['uuid']}"
    http.get(f"{voice}/recordings", headers=key).json()
    for clip in clips:
        fields = {"name": clip.name, "text": clip.transcript, "emotion": "neutral", "is_active": "true"}
        with clip.audio.open() as file:
            files = {"file": (clip.audio.name, file, "audio/wav")}
            response = http.post(f"{voice}/recordings", data=fields, files=files, headers=key)
        assert response.json()["item"]["uuid"]
    http.get(voice, headers=key).json()
    assert http.post(f"{voice}/build", json={}, headers=key).json()["success"]


def submit_by_script_session(address: str, clips: list[ClipUpload]) -> None:
    with requests.Session() as session:
        submit_by_script(address, clips, session)


def measure_cost(work: Callable[[], object]) -> tuple[float, float]:
    """Return the wall time and the processor time of this work, in seconds."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def compare_recordings(address: str, count: int) -> None:
    """Run the methods in turn, so that other load on the machine affects all of them."""
    clips = make_clips(count)
    methods: dict[str, Callable[[], None]] = {
        "the adapter": lambda: submit_by_adapter(address, clips),
        "a script, a session for each call": lambda: submit_by_script(address, clips, requests),
        "a script, one shared session": lambda: submit_by_script_session(address, clips),
    }
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for _ in range(ROUNDS):
        for name, method in methods.items():
            costs[name].append(measure_cost(method))
    best = {name: [min(values) for values in zip(*rounds, strict=True)] for name, rounds in costs.items()}
    output = sys.stdout
    output.write(f"{count:,} recordings of {CLIP_SECONDS:g} s to the sandbox, best of {ROUNDS} rounds\n")
    adapter_cost = best["the adapter"]
    for name, (clock, processor) in best.items():
        output.write(
            f"  {name:34} {clock:6.2f} s by the clock, the adapter takes {adapter_cost[0] / clock:.2f} times that;"
            f" {processor:5.2f} s of processor, {adapter_cost[1] / processor:.2f} times\n"
        )


# --- an archive ---


def measure_memory_mb() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage / (1 << 20) if sys.platform == "darwin" else usage / (1 << 10)


def send_archive(address: str, clip: Path, count: int) -> None:
    """Run in the child: pack an archive of `count` copies of the clip, send it, and print the cost."""
    memory_before, bytes_sent = measure_memory_mb(), 0
    entries = [DatasetEntry(f"line{number:04}", "", LARGE_CLIP, lambda: clip.open("rb")) for number in range(count)]

    def pack() -> UploadFile:
        nonlocal bytes_sent
        archive = pack_archive("voice", entries, with_text=False)
        bytes_sent = archive.size
        return UploadFile(archive.name, archive.content_type, archive.size, archive.md5, archive.chunks)

    spec = make_spec(Handover.SIGNED_PUT_CLIPS, Tier.PROFESSIONAL, [], pack)
    with ResembleV1("only-a-benchmark", sandbox_url=address, sandboxed=True) as provider:
        clock, processor = measure_cost(lambda: provider.submit_build(spec, MemoryJournal()))
    sys.stdout.write(
        f"An archive of {bytes_sent / 1e6:,.0f} MB, packed twice (its MD5 goes before it) and sent:"
        f" {clock:.1f} s by the clock, {processor:.1f} s of processor\n"
        f"  memory: {measure_memory_mb() - memory_before:.1f} MB above the {memory_before:.0f} MB of the imports,"
        f" ratio to the archive {(measure_memory_mb() - memory_before) * 1e6 / bytes_sent:.4f}\n"
    )


def run_archive_child(address: str, folder: Path, size: int) -> None:
    clip = folder / "clip.wav"
    sound = make_wav_bytes(make_speech_like(LARGE_CLIP / 2 / 48000, 48000), rate=48000)
    clip.write_bytes((sound + bytes(LARGE_CLIP))[:LARGE_CLIP])
    # On Linux a new process inherits the peak memory of its parent, so a shell, which needs little, starts the child.
    command = '"$0" -m tests.benchmarks.submit send "$1" "$2" "$3"; exit $?'
    count = str(size * 1_000_000 // LARGE_CLIP)
    subprocess.run(["/bin/sh", "-c", command, sys.executable, address, str(clip), count], check=True)


def main() -> None:
    arguments = [int(argument) for argument in sys.argv[1:]]
    count, size = [*arguments, *(RECORDINGS, MEGABYTES)[len(arguments) :]]
    with tempfile.TemporaryDirectory() as name:
        os.environ |= build_environment(Path(name))
        sandbox = SandboxProcess(Path(name) / "sandbox", training_seconds=ENDLESS_TRAINING)
        try:
            run_archive_child(sandbox.address, Path(name), size)
            compare_recordings(sandbox.address, count)
        finally:
            sandbox.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["send"]:
        send_archive(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
