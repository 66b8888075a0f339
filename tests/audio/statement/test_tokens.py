"""The parts of the statement check that need no audio: tokens, pronunciations, language model, alignment."""

import math
from collections import defaultdict
from collections.abc import Sequence

import pytest

from audio.statement.align import AlignedWord, State, align_words
from audio.statement.decoder import DecodedWord, find_pronunciations, list_common_words
from audio.statement.language_model import END, START, build_language_model
from audio.statement.pronunciation import (
    Pronunciation,
    find_compound_parts,
    find_confusable_words,
    get_pronunciation,
    map_words_to_sounds,
)
from audio.statement.tokens import Role, Token, find_key_words, tokenize

COMPANY = "Northlight Voices"
RESEMBLE = (
    "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my"
    " voice by Resemble AI."
).replace("{company}", COMPANY)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("I am aware, that…", "i am aware that"),
        ("re-train/create", "re train create"),
        ("don't don’t", "don't don't"),
        ("by AI, A.I. and Ai", "by a_i a_i and ai"),
        ("by Voice.ai. or Acme.io, then.it", "by voice a_i or acme i_o then it"),
        ("WE ALL SHOUT", "we all shout"),
        ("the IBM & the U.S. office", "the i_b_m and the u_s office"),
        ("in 2026, 1,000 times", "in 2026 1000 times"),
        ("Müller Łódź Ærø Straße ﬁne", "muller lodz aero strasse fine"),
        ("O'Neill's O\u2019Neill", "o'neill's o'neill"),
        ("x" * 41 + " y", " y"),
    ],
)
def test_tokenize_normalizes_words_to_keys(text: str, keys: str) -> None:
    assert " ".join(token.key for token in tokenize(text)) == keys


def test_token_keeps_the_spelling_of_the_text() -> None:
    assert [token.text for token in tokenize("“Müller & Søn” says: 1,000 A.I.s")] == [
        *("Müller", "&", "Søn", "says", "1,000", "A.I", "s"),
    ]


def test_company_and_talent_names_are_marked_wherever_they_occur() -> None:
    tokens = tokenize(
        "Will Bright: I will let Bright AI, and Will Bright, do it", company="Bright AI", talent="Will Bright"
    )
    marked = [(token.text, token.role.value) for token in tokens if token.is_name]
    assert marked == [
        *(("Will", "talent"), ("Bright", "talent"), ("Bright", "company"), ("AI", "company")),
        *(("Will", "talent"), ("Bright", "talent")),
    ]


def test_text_in_braces_is_a_blank() -> None:
    assert [(token.key, token.role) for token in tokenize("by {company} {")] == [("by", Role.TEXT), ("", Role.BLANK)]


def test_key_words_are_the_content_words_of_the_statement() -> None:
    expected = {"aware", "recordings", "used", "train", "create", "synthetic", "version", "resemble"}
    assert find_key_words(tokenize(RESEMBLE, company=COMPANY)) == expected


def test_key_words_include_negations_but_no_names() -> None:
    text = "I do not agree that Acme will sell no recordings"
    assert find_key_words(tokenize(text, company="Acme")) == {"not", "no", "agree", "sell", "recordings"}


def pronounce(word: str, **sounds_like: str) -> Pronunciation:
    return get_pronunciation(tokenize(f"a {word}")[1], sounds_like)


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("voice", "V OY S"),
        ("AI", "EY AY"),
        ("NASA", "N AE S AH"),
        ("NASA", "EH N EY EH S EY"),
        ("Northlight", "N AO R TH L AY T"),
        ("voicehub's", "V OY S HH AH B Z"),
        ("Müller", "M AH L ER"),
        ("2026", "T W EH N T IY T W EH N T IY S IH K S"),
        ("1905", "N AY N T IY N OW F AY V"),
        ("1900", "N AY N T IY N HH AH N D R AH D"),
        ("12", "T W EH L V"),
        ("1,001", "W AH N TH AW Z AH N D W AH N"),
    ],
)
def test_dictionary_names_and_numbers_have_certain_pronunciations(word: str, phones: str) -> None:
    pronunciation = pronounce(word)
    assert phones in pronunciation.variants
    assert pronunciation.is_certain


@pytest.mark.parametrize(
    ("word", "phones"),
    [("zyntrex", "Z IH N T R AH K S"), ("contoso", "K AA N T AH S OW"), ("fabrikam", "F AE B R IH K AH M")],
)
def test_unknown_word_gets_a_guessed_pronunciation(word: str, phones: str) -> None:
    assert pronounce(word) == Pronunciation((phones,), is_certain=False)


def test_guessed_pronunciations_are_often_right() -> None:
    """The suffix hides the dictionary entry of each word. Surnames of six languages make a higher share unlikely."""
    words = [word for word in list_common_words()[2000:20000:450] if len(word) > 3 and word.isalpha()]
    matches = [
        word for word in words if pronounce(f"{word}qx").variants[0].startswith(find_pronunciations(word)[0][:5])
    ]
    assert len(words) > 30
    assert len(matches) > 0.7 * len(words)


def test_word_without_latin_letters_has_no_pronunciation() -> None:
    assert pronounce("Иванов") == Pronunciation((), is_certain=False)


def test_staff_pronunciation_takes_precedence() -> None:
    assert pronounce("Zyntrex", zyntrex="zin trecks") == Pronunciation(("Z IH N T R EH K S",), is_certain=True)
    assert pronounce("Voice", voice="bird") == Pronunciation(("B ER D",), is_certain=True)
    assert pronounce("Voice", voice="…") == pronounce("Voice")


def test_sounds_like_entries_map_each_word_of_a_name() -> None:
    sounds = map_words_to_sounds({"Zyntrex Labs": "zintrecks labs", "One Two": "three", "X": "a b", "": "c"})
    assert sounds == {"zyntrex": "zintrecks", "labs": "labs", "x": "a b"}


def test_compound_parts_are_two_common_words() -> None:
    assert find_compound_parts("voicehub") == [("voice", "hub")]
    assert find_compound_parts("zyntrex") == find_compound_parts("the") == find_compound_parts("") == []


def test_confusable_words_are_similar_but_not_nearly_identical() -> None:
    matches = find_confusable_words("northlight", "N AO R TH L AY T")
    assert "northland" in matches and matches["south_light"] == "S AW TH L AY T"
    assert "N AO R TH L AY T" not in matches.values()
    assert "north_line" not in matches, "one phone apart"
    assert "voice" not in find_confusable_words("voices", "V OY S AH Z")


def parse_arpa(arpa: str) -> dict[tuple[str, ...], tuple[float, float]]:
    """Return each n-gram with its probability and its back-off weight."""
    ngrams = {}
    order = 0
    for line in arpa.splitlines():
        if line.endswith("-grams:"):
            order = int(line[1])
        elif order and line and not line.startswith("\\"):
            probability, *rest = line.split()
            words = tuple(rest[:order])
            weight = float(rest[order]) if len(rest) > order else 0.0
            ngrams[words] = (10 ** float(probability), 10**weight)
    return ngrams


def compute_probability(
    model: dict[tuple[str, ...], tuple[float, float]], history: tuple[str, ...], word: str
) -> float:
    """Compute the probability of a word after a history, by the rule of back-off models."""
    if (*history, word) in model:
        return model[*history, word][0]
    if not history:
        return 0.0
    return model.get(history, (0.0, 1.0))[1] * compute_probability(model, history[1:], word)


BACKGROUND = ("bird", "cloud", "not", "never", "don't", "do", "voice", "northland", "north_line")


@pytest.mark.parametrize(
    "text",
    [
        RESEMBLE,
        "Acme",
        "not not not not",
        "I agree. I do agree. I am Acme, I may be Acme",
        "I {blank} am {blank}",
        "{blank} am aware of {blank} am aware of voices",
        "voices voices Northlight Voices voices",
    ],
)
def test_language_model_sums_to_one_after_every_history(text: str) -> None:
    statement = tokenize(text, company=COMPANY)
    model = parse_arpa(build_language_model(statement, BACKGROUND, {"northlight": ["northland", "north_line"]}))
    words = [ngram[0] for ngram in model if len(ngram) == 1 and ngram[0] != START]
    histories = [(), *(ngram for ngram in model if len(ngram) < 3 and ngram[-1] != END)]
    for history in histories:
        assert math.fsum(compute_probability(model, history, word) for word in words) == pytest.approx(1, abs=2e-3), (
            history
        )


def test_language_model_header_counts_its_ngrams() -> None:
    arpa = build_language_model(tokenize(RESEMBLE), BACKGROUND)
    counts: dict[int, int] = defaultdict(int)
    for ngram in parse_arpa(arpa):
        counts[len(ngram)] += 1
    assert [f"ngram {order}={counts[order]}" for order in (1, 2, 3)] == arpa.splitlines()[1:4]
    with pytest.raises(ValueError, match="no word"):
        build_language_model(tokenize("{blank} …"), BACKGROUND)


def test_language_model_prefers_the_text_and_makes_names_unlikely() -> None:
    model = parse_arpa(
        build_language_model(
            tokenize(RESEMBLE, company=COMPANY), BACKGROUND, {"northlight": ["northland", "north_line"]}
        )
    )
    assert compute_probability(model, ("of", "my"), "voice") > 0.7
    assert 0.02 < compute_probability(model, ("used", "by"), "northlight") <= 0.03
    assert compute_probability(model, ("used", "by"), "northland") > 0.2
    assert compute_probability(model, ("by", "northlight"), "voices") <= 0.03
    assert compute_probability(model, ("northlight", "voices"), "to") > 0.7


def test_language_model_includes_negated_statements() -> None:
    model = parse_arpa(build_language_model(tokenize(RESEMBLE), BACKGROUND))
    for before in (("voice", "will"), ("i", "am"), ("voices", "to")):
        assert compute_probability(model, before, "not") > 0.05, before
        assert compute_probability(model, before, "not") > 5 * compute_probability(model, before, "bird"), before
    assert compute_probability(model, ("voice", "will"), "never") > 0.05
    assert compute_probability(model, ("will", "not"), "be") > 0.7
    agree = parse_arpa(build_language_model(tokenize("I agree"), BACKGROUND))
    assert (
        compute_probability(agree, (START, "i"), "don't") > 0.05
        and compute_probability(agree, ("i", "do"), "not") > 0.5
    )


def align_texts(text: str, recognized: str, company: str = "", uncertain: Sequence[str] = ()) -> list[AlignedWord]:
    statement = tokenize(text, company=company)
    pronunciations = {
        token.key: Pronunciation(find_pronunciations(token.key), token.key not in uncertain) for token in statement
    }
    decoded = [DecodedWord(word, position + 0.0, position + 1.0) for position, word in enumerate(recognized.split())]
    return align_words(statement, pronunciations, decoded, 100.0)


def describe_states(words: Sequence[AlignedWord]) -> str:
    return " ".join(f"{word.text}:{word.state.value}" for word in words)


@pytest.mark.parametrize(
    ("recognized", "expected"),
    [
        ("i am aware", "I:heard am:heard aware:heard"),
        ("i aware", "I:heard am:missing aware:heard"),
        ("i am not aware", "I:heard am:heard not:inserted aware:heard"),
        ("i was aware", "I:heard am:missing was:inserted aware:heard"),
        ("", "I:missing am:missing aware:missing"),
        ("so i am aware okay", "so:inserted I:heard am:heard aware:heard okay:inserted"),
        ("aware am i", "I:missing am:missing aware:heard am:inserted i:inserted"),
    ],
)
def test_words_are_aligned_with_the_statement(recognized: str, expected: str) -> None:
    states = describe_states(align_texts("I am aware", recognized))
    assert states == expected or recognized == "aware am i" and states.count("heard") == 1


def test_missing_word_has_the_time_between_its_neighbors() -> None:
    missing = align_texts("I am aware", "i so aware")[1]
    assert (missing.state, missing.start, missing.end) == (State.MISSING, 1.0, 2.0)
    last = align_texts("I am aware", "i am")[2]
    assert (last.start, last.end) == (2.0, 100.0)


def test_words_read_instead_of_the_company_are_another_company() -> None:
    words = align_texts("by Acme to", "by blue bird to", company="Acme")
    assert describe_states(words) == "by:heard Acme:missing blue:other_company bird:other_company to:heard"


def test_uncertain_name_makes_its_words_doubtful() -> None:
    words = align_texts("by Acme to", "by blue bird to", company="Acme", uncertain=["acme"])
    assert describe_states(words) == "by:heard Acme:doubtful blue:doubtful bird:doubtful to:heard"
    words = align_texts("by Acme to", "by acme to", company="Acme", uncertain=["acme"])
    assert describe_states(words) == "by:heard Acme:doubtful to:heard"
    assert (words[1].start, words[1].end) == (1.0, 2.0)


def test_two_recognized_words_that_sound_like_one_match_that_word() -> None:
    statement = tokenize("by Northlight to")
    pronunciations = {token.key: pronounce(token.text) for token in statement}
    decoded = [
        DecodedWord(word, position + 0.0, position + 1.0)
        for position, word in enumerate(["by", "north", "light", "to"])
    ]
    words = align_words(statement, pronunciations, decoded, 9.0)
    assert describe_states(words) == "by:heard Northlight:heard to:heard"
    assert (words[1].start, words[1].end) == (1.0, 3.0)


def test_token_without_a_key_is_doubtful() -> None:
    blank = Token("{x}", "", Role.BLANK)
    words = align_words([blank], {"": Pronunciation((), is_certain=False)}, [DecodedWord("x", 0.0, 1.0)], 1.0)
    assert [(word.text, word.state) for word in words] == [("{x}", State.DOUBTFUL), ("x", State.DOUBTFUL)]


def test_common_words_are_distinct_and_ranked_by_frequency() -> None:
    assert {"the", "to", "and", "i"} <= set(list_common_words()[:10])
    assert len(list_common_words()) == len(set(list_common_words())) == 20_000
