"""A PulseAudio of its own, whose only microphone plays a WAV file over and over, for browsers that have no fake one.

Programs use it with `PULSE_SERVER` set to `address`. It has a silent speaker too: without one, browsers start no audio.
"""

import os
import shutil
import subprocess
from pathlib import Path
from threading import Thread

from tests.support.processes import wait_for

INSTALL_HINT = "PulseAudio is not installed. Install it with `apt install pulseaudio pulseaudio-utils`."
RATE = 44100


class PulseAudio:
    def __init__(self, folder: Path, sound: Path) -> None:
        assert shutil.which("pulseaudio") and shutil.which("paplay"), INSTALL_HINT
        folder.mkdir(parents=True, exist_ok=True)
        socket = folder / "pulse.sock"
        self.address = f"unix:{socket}"
        self._environment = {
            **os.environ, "PULSE_SERVER": self.address, "PULSE_RUNTIME_PATH": str(folder), "HOME": str(folder),
        }  # fmt: skip
        modules = (
            f"module-native-protocol-unix socket={socket} auth-anonymous=1",
            f"module-null-sink sink_name=room rate={RATE} channels=1",
            f"module-null-sink sink_name=speaker rate={RATE}",
            # WebKit lists no monitors, so the sound of the room gets a source of its own.
            "module-remap-source source_name=microphone master=room.monitor",
        )
        options = ("-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-level=error")
        command = ["pulseaudio", *options, *(f"--load={module}" for module in modules)]
        self._server = subprocess.Popen(command, env=self._environment)
        wait_for(lambda: self._run("pactl", "info") == 0, "PulseAudio")
        self._run("pactl", "set-default-source", "microphone")
        self._run("pactl", "set-default-sink", "speaker")
        self._player = Thread(target=self._play, args=(sound,), daemon=True)
        self._player.start()

    def _run(self, *command: str) -> int:
        return subprocess.run(command, env=self._environment, capture_output=True, check=False, timeout=600).returncode

    def _play(self, sound: Path) -> None:
        while self._server.poll() is None:
            self._run("paplay", "--device=room", str(sound))

    def stop(self) -> None:
        self._server.terminate()
        self._server.wait()
        self._player.join()
