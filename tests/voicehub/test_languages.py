"""Language tags, and letters that do not belong to a language."""

import pytest

from voicehub.languages import find_foreign_letters, list_language_choices, normalize_language


@pytest.mark.parametrize(
    ("tag", "normal"),
    [("en-US", "en-US"), ("EN-us", "en-US"), ("de", "de"), ("zh-hans-CN", "zh-Hans-CN"), ("zh-CN", "zh-CN")],
)
def test_known_tag_gets_its_usual_form(tag: str, normal: str) -> None:
    assert normalize_language(tag) == normal


@pytest.mark.parametrize("tag", ["", "klingon!!", "xx-YY", "en_US", "en-XX", "German", "en-US-", "..", "a" * 300])
def test_unknown_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="is not a known language"):
        normalize_language(tag)


def test_every_choice_is_a_tag_in_its_usual_form_and_has_a_name() -> None:
    choices = dict(list_language_choices())
    assert len(choices) > 400 and choices["de-AT"] == "German (Austria)" and choices["ja-JP"] == "Japanese (Japan)"
    assert [tag for tag in choices if normalize_language(tag) != tag] == []


@pytest.mark.parametrize(
    ("text", "tag", "foreign"),
    [
        ("ाMam świadomość, że {company} …", "pl-PL", "ा"),
        ("Ich weiß, dass Ärzte „hören“ – 100 %.", "de-DE", ""),
        ("I am aware, {company}. Аnd so on.", "en-US", "А"),
        ("私は、{company}がVoice.aiで使用する。", "ja-JP", ""),
        ("私はПривет", "ja-JP", "Привет"),
        ("Знаю, что Resemble AI …", "ru-RU", ""),
        ("Тест 語", "sr-Latn-RS", "Тест語"),
        ("Any letters: ა語", "ka-GE", ""),
    ],
)
def test_letters_of_another_script_are_found(text: str, tag: str, foreign: str) -> None:
    assert find_foreign_letters(text, tag) == foreign
