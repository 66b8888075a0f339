"""A table that cannot be read refuses only itself: the others, and the clips, are matched."""

import pytest

from tests.voices.import_rows import add_files, check, make_checked_import
from tests.voices.rows import Studio, make_clip
from voicehub.models import Task, TaskStatus
from voices.models import Voice
from voices.services.imports.rows import CHECK_TASK

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


BAD_LINES = {
    "zero": rb'{"file": "b", "text": "x\u0000y"}',
    "surrogate": rb'{"file": "b", "text": "x\ud800y"}',
    "title": rb'{"file": "b", "te\udc00xt": "y"}',
    "nested": b"[" * 100_000,
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=BAD_LINES)
def test_line_that_no_database_stores_refuses_only_its_table(studio: Studio, voice: Voice, line: bytes) -> None:
    table = b'{"file": "a", "text": "Words."}\n' + line + b"\n"
    files = {"a.wav": make_clip(1), "b.wav": make_clip(2), "bad.jsonl": table, "good.csv": b"a.wav|Good.\nb.wav|Too.\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    assert Task.objects.get(kind=CHECK_TASK).status == TaskStatus.DONE
    problem = import_set.files.get(name="bad.jsonl").texts.get().problem
    assert problem.startswith("Line 2 of the table")
    assert list(import_set.clips.values_list("text", flat=True)) == ["Good.", "Too."]


def test_table_whose_content_is_lost_refuses_only_itself(studio: Studio, voice: Voice) -> None:
    large = b"a.wav|Lost.\n" + b"".join(b"x%d.wav|Words.\n" % number for number in range(1000))
    import_set = make_checked_import(voice, studio.producer, {"a.wav": make_clip(1), "large.csv": large})
    file = import_set.files.get(name="large.csv")
    file.file.storage.delete(str(file.file.name))
    add_files(import_set, {"good.csv": b"a.wav|Good.\n"})
    check(import_set)
    assert file.texts.get().problem and import_set.clips.get().text == "Good."
