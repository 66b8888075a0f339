"""What handing over to a provider costs: `python -m tests.benchmarks.submit [RECORDINGS] [MEGABYTES]` (500 of each).

Recordings, one by one, to the sandbox through the Resemble v2 adapter, against a plain loop of `requests` that makes
the same calls: what a script does that somebody writes in five minutes. The adapter opens a connection for each call,
watches its deadline, caps what it reads and writes each id down. Then an archive that is packed and PUT by the adapter
of Resemble v1, and what that takes of memory.
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

from audio.datasets.archive_writer import Entry
from audio.datasets.package import pack_archive
from providers.resemble_v1.adapter import ResembleV1
from providers.resemble_v2.adapter import ResembleV2
from providers.types import BuildSpec, ClipUpload, Handover, Tier, UploadFile
from tests.providers.factories import load_statement, make_file_ref
from tests.providers.journal import MemoryJournal
from tests.support.sandbox import Sandbox
from tests.support.session import environment
from tests.support.wav import speech_like, wav_bytes

RECORDINGS, MEGABYTES = 500, 500
CLIP_SECONDS = 4.0
VARIANTS = 10
ROUNDS = 3
LARGE_CLIP = 5_000_000  # bytes of each clip in the archive
NO_END = 1e6  # seconds of a training that shall not begin to listen while something is timed


def clips_of(count: int) -> list[ClipUpload]:
    variants = [wav_bytes(speech_like(CLIP_SECONDS, pitch=90.0 + 4 * one)) for one in range(VARIANTS)]
    names = [f"line-{number:04}" for number in range(count)]
    return [
        ClipUpload(name, name, "Some words.", make_file_ref(f"{name}.wav", variants[at % VARIANTS]))
        for at, name in enumerate(names)
    ]


def spec_of(
    way: Handover, tier: Tier, clips: list[ClipUpload], pack: Callable[[], UploadFile] | None = None
) -> BuildSpec:
    return BuildSpec(
        reference=f"vh-{uuid4().hex[:12]}",
        tier=tier,
        language="en-US",
        handover=way,
        consent=make_file_ref("consent.wav", load_statement()),
        clips=tuple(clips),
        pack_file=pack,
    )


# --- recordings, one by one ---


def by_adapter(address: str, clips: list[ClipUpload]) -> None:
    spec = spec_of(Handover.RECORDINGS, Tier.RAPID, clips)
    with ResembleV2("only-a-benchmark", sandbox_url=address, sandboxed=True) as provider:
        provider.submit_build(spec, MemoryJournal(transcripts={clip.key: clip.transcript for clip in clips}))


def by_script(address: str, clips: list[ClipUpload], caller: ModuleType | requests.Session) -> None:
    """The same calls in the same order, and nothing looked at but ids."""
    url, key = f"{address}/resemble/api/v2/voices", {"Authorization": "Bearer only-a-benchmark"}
    consent = base64.b64encode(load_statement()).decode()
    body = {"name": f"vh-{uuid4().hex[:12]}", "voice_type": "rapid", "language": "en-US", "consent": consent}
    voice = f"{url}/{caller.post(url, json=body, headers=key).json()['item']['uuid']}"
    caller.get(f"{voice}/recordings", headers=key).json()
    for clip in clips:
        fields = {"name": clip.name, "text": clip.transcript, "emotion": "neutral", "is_active": "true"}
        with clip.audio.open() as file:
            parts = {"file": (clip.audio.name, file, "audio/wav")}
            answer = caller.post(f"{voice}/recordings", data=fields, files=parts, headers=key)
        assert answer.json()["item"]["uuid"]
    caller.get(voice, headers=key).json()
    assert caller.post(f"{voice}/build", json={}, headers=key).json()["success"]


def by_kept_connection(address: str, clips: list[ClipUpload]) -> None:
    with requests.Session() as session:
        by_script(address, clips, session)


def cost(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of this process's processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def recordings(address: str, count: int) -> None:
    """All ways in turn, so that what else the machine does meets all of them."""
    clips = clips_of(count)
    ways: dict[str, Callable[[], None]] = {
        "the adapter": lambda: by_adapter(address, clips),
        "a script, a session for each call": lambda: by_script(address, clips, requests),
        "a script, one kept connection": lambda: by_kept_connection(address, clips),
    }
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            costs[name].append(cost(way))
    best = {name: [min(one) for one in zip(*rounds, strict=True)] for name, rounds in costs.items()}
    out = sys.stdout
    out.write(f"{count:,} recordings of {CLIP_SECONDS:g} s to the sandbox, best of {ROUNDS} rounds\n")
    ours = best["the adapter"]
    for name, (clock, processor) in best.items():
        out.write(
            f"  {name:34} {clock:6.2f} s by the clock, the adapter takes {ours[0] / clock:.2f} times that;"
            f" {processor:5.2f} s of processor, {ours[1] / processor:.2f} times\n"
        )


# --- an archive ---


def megabytes() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1 << 20) if sys.platform == "darwin" else used / (1 << 10)


def send(address: str, clip: Path, count: int) -> None:
    """What the child does: pack an archive of `count` times the clip, send it, and print what it took."""
    imported, bytes_sent = megabytes(), 0
    entries = [Entry(f"line{number:04}", "", LARGE_CLIP, lambda: clip.open("rb")) for number in range(count)]

    def pack() -> UploadFile:
        nonlocal bytes_sent
        made = pack_archive("voice", entries, with_text=False)
        bytes_sent = made.size
        return UploadFile(made.name, made.content_type, made.size, made.md5, made.chunks)

    spec = spec_of(Handover.SIGNED_PUT_CLIPS, Tier.PROFESSIONAL, [], pack)
    with ResembleV1("only-a-benchmark", sandbox_url=address, sandboxed=True) as provider:
        clock, processor = cost(lambda: provider.submit_build(spec, MemoryJournal()))
    sys.stdout.write(
        f"An archive of {bytes_sent / 1e6:,.0f} MB, packed twice (its MD5 goes before it) and sent:"
        f" {clock:.1f} s by the clock, {processor:.1f} s of processor\n"
        f"  memory: {megabytes() - imported:.1f} MB above the {imported:.0f} MB of the imports,"
        f" ratio to the archive {(megabytes() - imported) * 1e6 / bytes_sent:.4f}\n"
    )


def archive(address: str, folder: Path, size: int) -> None:
    clip = folder / "clip.wav"
    sound = wav_bytes(speech_like(LARGE_CLIP / 2 / 48000, 48000), rate=48000)
    clip.write_bytes((sound + bytes(LARGE_CLIP))[:LARGE_CLIP])
    # The shell forks once more: Linux lets a process that is started inherit the largest memory of its starter.
    command = '"$0" -m tests.benchmarks.submit send "$1" "$2" "$3"; exit $?'
    count = str(size * 1_000_000 // LARGE_CLIP)
    subprocess.run(["/bin/sh", "-c", command, sys.executable, address, str(clip), count], check=True)


def main() -> None:
    told = [int(one) for one in sys.argv[1:]]
    count, size = [*told, *(RECORDINGS, MEGABYTES)[len(told) :]]
    with tempfile.TemporaryDirectory() as name:
        os.environ |= environment(Path(name))
        sandbox = Sandbox(Path(name) / "sandbox", training_seconds=NO_END)
        try:
            archive(sandbox.address, Path(name), size)
            recordings(sandbox.address, count)
        finally:
            sandbox.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["send"]:
        send(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
