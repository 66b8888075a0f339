"""Files of this machine are stored under exact names, without a copy where the disk allows it."""

import errno
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from voicehub.storage import store_local_file

pytestmark = pytest.mark.one_database


@pytest.fixture
def storage(tmp_path: Path) -> FileSystemStorage:
    return FileSystemStorage(
        tmp_path / "media", base_url=None, file_permissions_mode=0o600, directory_permissions_mode=0o700
    )


@pytest.mark.parametrize("is_spare", [True, False])
@pytest.mark.parametrize("has_same_disk", [True, False])
def test_file_replaces_what_is_there(
    storage: FileSystemStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_spare: bool, has_same_disk: bool
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    if not has_same_disk:
        monkeypatch.setattr(Path, "rename", refuse)
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    for data in (b"first", b"second"):
        source = tmp_path / "source"
        source.unlink(missing_ok=True)
        source.write_bytes(data)
        store_local_file(storage, source, "deep/er/name.wav", is_spare=is_spare)
        target = tmp_path / "media" / "deep" / "er" / "name.wav"
        assert target.read_bytes() == data and target.stat().st_mode & 0o777 == 0o600
        assert source.exists() == (not is_spare or not has_same_disk)
        assert source.exists() is False or source.samefile(target) == has_same_disk
    assert [path.name for path in target.parent.iterdir()] == ["name.wav"]
