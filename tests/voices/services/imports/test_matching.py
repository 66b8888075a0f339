"""Texts are matched with clips in any order, and each line that fits nothing has its reason."""

import unicodedata

import pytest

from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add_files, check, make_checked_import
from tests.voices.rows import Studio, make_clip
from voicehub.refusals import ActionRefused
from voices.models import Import, ImportLineReason, ImportText, ImportTextKind, Voice
from voices.services.imports import choices

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def list_texts(import_set: Import) -> dict[str, str]:
    return dict(import_set.clips.exclude(text="").values_list("name", "text"))


def list_reasons(import_set: Import) -> dict[str, str]:
    return dict(import_set.lines.values_list("name", "reason"))


def make_wavs(*names: str) -> dict[str, bytes]:
    return {name: make_clip(number) for number, name in enumerate(names, start=1)}


@pytest.mark.parametrize("is_table_first", [True, False])
def test_order_of_uploads_does_not_matter(studio: Studio, voice: Voice, is_table_first: bool) -> None:
    table, wavs = {"metadata.csv": b"a|One.\nb|Two.\n"}, make_wavs("a.wav", "b.wav")
    parts = [table, wavs] if is_table_first else [wavs, table]
    import_set = make_checked_import(voice, studio.producer, parts[0])
    add_files(import_set, parts[1])
    check(import_set)
    assert list_texts(import_set) == {"a.wav": "One.", "b.wav": "Two."}
    assert not import_set.lines.exists()


def test_speaker_column_is_no_transcript(studio: Studio, voice: Voice) -> None:
    table = b"a.wav|male1|Printing differs.\nb.wav|male1|From other arts.\n"
    import_set = make_checked_import(voice, studio.producer, {**make_wavs("a.wav", "b.wav"), "list.csv": table})
    assert list_texts(import_set) == {"a.wav": "Printing differs.", "b.wav": "From other arts."}


def test_normalized_column_is_kept_as_a_second_text(studio: Studio, voice: Voice) -> None:
    table = b"a|In 1843 it was so.|In eighteen forty-three it was so.\n"
    clip = make_checked_import(voice, studio.producer, {**make_wavs("a.wav"), "metadata.csv": table}).clips.get()
    assert (clip.text, clip.normalized_text) == ("In 1843 it was so.", "In eighteen forty-three it was so.")


def test_names_match_in_other_folder_case_unicode_form_and_extension(studio: Studio, voice: Voice) -> None:
    wavs = make_wavs("wavs/take one.wav", "wavs/UPPER.wav", unicodedata.normalize("NFD", "wavs/Füße.wav"), "wavs/d.wav")
    table = "other/take one.wav|One.\nupper|Two.\nFüße|Three.\nd.mp3|Four.\n".encode()
    import_set = make_checked_import(voice, studio.producer, {**wavs, "metadata.csv": table})
    assert sorted(list_texts(import_set).values()) == ["Four.", "One.", "Three.", "Two."]


def test_each_line_that_fits_nothing_has_its_reason(studio: Studio, voice: Voice) -> None:
    wavs = make_wavs("a.wav", "b.wav", "x/same.wav", "y/same.wav", "twice.wav", "long.wav")
    lines = ["a.wav|Fine.", "none.wav|Words.", "same.wav|Words.", "b.wav|", "twice|One.", "twice|Two.", "broken|Words."]
    table = "\n".join([*lines, f"long|{'x' * 2001}"])
    files = {**wavs, "broken.wav": b"RIFF", "metadata.csv": table.encode()}
    import_set = make_checked_import(voice, studio.producer, files)
    assert list_texts(import_set) == {"a.wav": "Fine."}
    assert list_reasons(import_set) == {
        "none.wav": ImportLineReason.UNKNOWN, "same.wav": ImportLineReason.AMBIGUOUS, "b.wav": ImportLineReason.EMPTY,
        "twice": ImportLineReason.REPEATED, "broken": ImportLineReason.REFUSED, "long": ImportLineReason.TOO_LONG,
    }  # fmt: skip
    assert import_set.lines.filter(name="twice").count() == 2


def test_lost_zeros_are_put_back_by_one_choice(studio: Studio, voice: Voice) -> None:
    wavs = make_wavs(*(f"{number:06}.wav" for number in (1, 2, 10)))
    import_set = make_checked_import(voice, studio.producer, {**wavs, "ids.txt": b"1\tOne.\n2\tTwo.\n10\tTen.\n"})
    assert not list_texts(import_set)
    assert set(list_reasons(import_set).values()) == {ImportLineReason.ZEROS_LOST}
    assert import_set.lines.get(name="10").proposal == "000010.wav"
    choices.restore_zeros(ImportText.objects.get())
    check(import_set)
    assert list_texts(import_set) == {"000001.wav": "One.", "000002.wav": "Two.", "000010.wav": "Ten."}
    assert not import_set.lines.exists()


def test_name_that_another_line_has_in_full_is_not_proposed(studio: Studio, voice: Voice) -> None:
    import_set = make_checked_import(
        voice, studio.producer, {**make_wavs("007.wav"), "m.csv": b"7|Lost.\n007|Whole.\n"}
    )
    assert list_texts(import_set) == {"007.wav": "Whole."}
    assert list_reasons(import_set) == {"7": ImportLineReason.UNKNOWN}


def test_text_file_of_a_clip_is_its_transcript(studio: Studio, voice: Voice) -> None:
    files = {**make_wavs("s/a.wav", "s/b.wav"), "s/a.txt": "It is a\nsentence.".encode("utf-16"), "README.txt": b"Hi."}
    import_set = make_checked_import(voice, studio.producer, files)
    assert list_texts(import_set) == {"s/a.wav": "It is a sentence."}
    kinds = dict(ImportText.objects.values_list("name", "kind"))
    assert kinds == {"s/a.txt": ImportTextKind.CLIP_TEXT, "README.txt": ImportTextKind.OTHER}


def test_different_texts_in_two_tables_are_both_left_out(studio: Studio, voice: Voice) -> None:
    files = {**make_wavs("a.wav", "b.wav"), "one.csv": b"a|One.\nb|Same.\n", "two.csv": b"a|Other.\nb|Same.\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    assert list_texts(import_set) == {"b.wav": "Same."}
    assert list_reasons(import_set) == {"a": ImportLineReason.REPEATED}


def test_table_in_an_archive_means_the_files_beside_it(studio: Studio, voice: Voice) -> None:
    def pack(number: int, text: bytes) -> bytes:
        return build_zip(ZipMember(b"wavs/a.wav", make_clip(number)), ZipMember(b"metadata.csv", b"a|" + text))

    import_set = make_checked_import(voice, studio.producer, {"x.zip": pack(1, b"One."), "y.zip": pack(2, b"Two.")})
    texts = dict(import_set.clips.values_list("source__name", "text"))
    assert texts == {"x.zip": "One.", "y.zip": "Two."}


def test_table_beside_a_folder_prefers_the_files_of_the_folder(studio: Studio, voice: Voice) -> None:
    files = make_wavs("one/a.wav", "two/a.wav") | {"one/metadata.csv": b"a|One.\n", "two/metadata.csv": b"a|Two.\n"}
    import_set = make_checked_import(voice, studio.producer, files)
    assert list_texts(import_set) == {"one/a.wav": "One.", "two/a.wav": "Two."}


def test_lines_of_earlier_recordings_are_kept_apart(studio: Studio, voice: Voice) -> None:
    changed, same = studio.make_recordings(voice, 2, transcript="Old words.")
    table = f"{changed.file_name}|New words.\n{same.file_name}|Old words.\n".encode()
    import_set = make_checked_import(voice, studio.producer, {"fix.csv": table})
    (line,) = import_set.lines.all()
    assert (line.recording, line.reason, line.text) == (changed, ImportLineReason.EARLIER, "New words.")


def test_duplicate_with_a_text_fills_only_an_empty_transcript(studio: Studio, voice: Voice) -> None:
    empty, full = studio.make_recordings(voice, 1, transcript="")[0], studio.make_recordings(voice, 1)[0]
    files = {"m.csv": b"one|New.\ntwo|Newer.\n"}
    for name, recording in (("one.wav", empty), ("two.wav", full)):
        with recording.file.open("rb") as stored:
            files[name] = stored.read()
    import_set = make_checked_import(voice, studio.producer, files)
    assert [line.recording for line in import_set.lines.all()] == [empty]


def test_chosen_columns_replace_those_that_were_found(studio: Studio, voice: Voice) -> None:
    table = b"a|Berlin|Anna\nb|Hamburg|Bert\n"
    import_set = make_checked_import(voice, studio.producer, {**make_wavs("a.wav", "b.wav"), "list.csv": table})
    text = ImportText.objects.get()
    assert not text.is_certain and text.samples[2] == ["Anna", "Bert"]
    choices.choose_columns(text, 0, 2, 1)
    check(import_set)
    assert list_texts(import_set) == {"a.wav": "Anna", "b.wav": "Bert"}
    assert import_set.clips.get(name="a.wav").normalized_text == "Berlin"
    choices.find_columns(text)
    check(import_set)
    assert list_texts(import_set) == {"a.wav": "Berlin", "b.wav": "Hamburg"}


@pytest.mark.parametrize(("name_at", "text_at"), [(0, 0), (0, 3), (7, 1)])
def test_columns_that_are_not_there_or_the_same_are_refused(
    studio: Studio, voice: Voice, name_at: int, text_at: int
) -> None:
    make_checked_import(voice, studio.producer, {**make_wavs("a.wav"), "list.csv": b"a|x|One.\n"})
    with pytest.raises(ActionRefused):
        choices.choose_columns(ImportText.objects.get(), name_at, text_at, None)


def test_large_table_is_read_from_the_storage(studio: Studio, voice: Voice) -> None:
    rows = b"".join(b"none-%d|Some words that nothing has.\n" % number for number in range(400))
    packed = build_zip(ZipMember(b"b.wav", make_clip(9)), ZipMember(b"metadata.csv", b"b|Packed.\n" + rows))
    files = {**make_wavs("a.wav"), "metadata.csv": b"a|Words.\n" + rows, "x.zip": packed}
    import_set = make_checked_import(voice, studio.producer, files)
    assert all(text.content and not text.data for text in ImportText.objects.all())
    assert list_texts(import_set) == {"a.wav": "Words.", "b.wav": "Packed."}
    assert import_set.lines.count() == 800


def test_code_page_of_an_archive_is_shown_and_can_be_chosen(studio: Studio, voice: Voice) -> None:
    packed = build_zip(
        ZipMember("wavs/Grüße.wav".encode("cp850"), make_clip(1)),
        ZipMember("wavs/Äpfel.wav".encode("cp850"), make_clip(2)),
    )
    import_set = make_checked_import(voice, studio.producer, {"x.zip": packed})
    file, before = import_set.files.get(), set(import_set.clips.values_list("pk", flat=True))
    assert file.code_page in {"cp437", "cp850"}
    assert set(import_set.clips.values_list("name", flat=True)) == {"Grüße.wav", "Äpfel.wav"}
    choices.choose_code_page(file, "cp866")
    assert not import_set.clips.exists()
    check(import_set)
    file.refresh_from_db()
    clips = list(import_set.clips.all())
    assert file.code_page == "cp866" and {clip.name for clip in clips} == {
        "Grüße.wav".encode("cp850").decode("cp866"),
        "Äpfel.wav".encode("cp850").decode("cp866"),
    }
    assert {clip.pk for clip in clips} == before and all(
        clip.file.storage.exists(str(clip.file.name)) for clip in clips
    )


def test_unknown_code_page_is_refused(studio: Studio, voice: Voice) -> None:
    import_set = make_checked_import(voice, studio.producer, {"x.zip": build_zip()})
    with pytest.raises(ActionRefused):
        choices.choose_code_page(import_set.files.get(), "rot13")
