"""What a provider answered, in a few words."""

import pytest

from voices.services.call_answers import summarize_answer


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ('{"success": true, "message": "The voice is being \\u201cbuilt\\u201d."}', "The voice is being “built”."),
        ('{"success": true, "item": {"uuid": "a58", "name": "vh-6cf2", "status": "training", "te', "vh-6cf2, training"),
        ('{"success": true, "total_results": 3, "items": [{"name": "one"}', "3 entries"),
        ('[{"id": 1}]', "1 entry"),
        ('{"success": true, "audio_content": "UklG', "Accepted"),
        ('{"url": "https://upload.test"}', ""),
        ('[{"id": 1', ""),
        ("0 bytes", "0 bytes"),
        ("", ""),
    ],
)
def test_answer_is_summarized_also_when_it_is_cut(text: str, summary: str) -> None:
    assert summarize_answer(text) == summary
