"""`manage.py doctor` finds each kind of trouble, and names it."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as configured
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from audio.networks import estimates, installed
from audio.networks.weights import MissingModel
from voicehub import outbox
from voicehub.models import Task
from voices.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def closed_folder() -> None:
    Path(configured.DATA_DIR).chmod(0o700)


def doctor(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code, and what it said."""
    try:
        call_command("doctor", no_color=True)
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().out
    return 0, capsys.readouterr().out


def trouble(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of trouble that there must be."""
    code, said = doctor(capsys)
    lines = [line for line in said.splitlines() if line.startswith("FAILED")]
    assert code == 1
    assert len(lines) == 1, said
    return lines[0]


def test_healthy_studio(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = doctor(capsys)
    assert code == 0, said
    assert "FAILED" not in said
    for part in ("Database", "Queue", "Tasks", "Files", "Secrets", "Audit logs", "Settings"):
        assert f"ok       {part}: " in said


def test_work_that_nobody_does(capsys: pytest.CaptureFixture[str]) -> None:
    Task.objects.create(kind="any", object_id="1", due_at=timezone.now() - timedelta(hours=1))
    Task.objects.create(kind="any", object_id="2", due_at=timezone.now() + timedelta(hours=1))
    assert "Tasks: 1 overdue by more than 2 minutes" in trouble(capsys)


def test_work_in_hand_is_no_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    task = Task.objects.create(kind="any", object_id="1", due_at=timezone.now() - timedelta(hours=1))
    assert outbox.claim_task(str(task.pk))
    assert doctor(capsys)[0] == 0


def test_queue_that_is_away(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import django_rq
    from redis import Redis

    lost = Redis(unix_socket_path="/nowhere/valkey.sock")
    queue = django_rq.get_queue("submit")
    monkeypatch.setattr(queue, "connection", lost)
    monkeypatch.setattr(django_rq, "get_queue", lambda name: queue)
    assert "Queue: it does not respond" in trouble(capsys)


def test_files_that_cannot_be_written(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from voicehub.storage import private

    def full(name: str, content: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private(), "save", full)
    assert "Files: they cannot be stored" in trouble(capsys)


def test_probe_leaves_no_file_behind(capsys: pytest.CaptureFixture[str]) -> None:
    from voicehub.storage import private

    assert doctor(capsys)[0] == 0
    assert private().listdir("doctor")[1] == []


def test_key_that_was_sealed_with_a_lost_key(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    account = Account(name="Resemble of last year", provider="resemble")
    account.set_key("a-secret-of-the-provider")
    account.save()
    settings.VOICEHUB_FIELD_KEYS = [Fernet.generate_key().decode()]
    line = trouble(capsys)
    assert "Secrets: the keys of Resemble of last year cannot be decrypted" in line
    assert "a-secret-of-the-provider" not in line


def test_folder_that_others_can_enter(capsys: pytest.CaptureFixture[str]) -> None:
    Path(configured.DATA_DIR).chmod(0o755)
    assert (
        f"Secrets: other users of this machine can read the data folder. Run: chmod 700 {configured.DATA_DIR}"
        in trouble(capsys)
    )


def test_settings_that_cannot_work(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    settings.VOICEHUB_FIELD_KEYS = ["not-a-fernet-key"]
    assert "Settings: VOICEHUB_FIELD_KEYS must be Fernet keys" in trouble(capsys)


@pytest.mark.parametrize("name", installed.PARTS)
def test_each_part_of_listening_is_told(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, said = doctor(capsys)
    told = "missing  {}: " if installed.PARTS[name]() else "ok       {}: installed."
    assert code == 0
    assert told.format(name) in said


def test_studio_without_any_part_of_listening_is_told_what_to_do_but_is_not_in_trouble(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for loader in ("load_silero", "load_encoder"):
        monkeypatch.setattr(installed, loader, lambda: MissingModel("The weights are not here."))
    monkeypatch.setattr(installed, "find_spec", lambda name: None)
    monkeypatch.setattr(estimates, "_load_denoiser", lambda: MissingModel("The denoiser is not here."))
    code, said = doctor(capsys)
    assert code == 0
    lines = dict(
        line.removeprefix("missing  ").split(": ", 1) for line in said.splitlines() if line.startswith("missing")
    )
    assert lines == {
        "Voice activity": "The weights are not here. Run: make run",
        "Speaker match": "The weights are not here. Run: make run",
        "Statement check": "pocketsphinx is not installed. Run: make run",
        "M4A and WebM": "av is not installed. Run: make extras",
        "Quality estimates": "The quality extra is incomplete: The denoiser is not here. Run: make extras",
    }
