"""The parts of the statement check, without sound: words, ways to say them, the language model, the alignment."""

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
def test_keys(text: str, keys: str) -> None:
    assert " ".join(token.key for token in tokenize(text)) == keys


def test_words_are_shown_as_written() -> None:
    assert [token.text for token in tokenize("“Müller & Søn” says: 1,000 A.I.s")] == [
        *("Müller", "&", "Søn", "says", "1,000", "A.I", "s"),
    ]


def test_names_are_marked_wherever_they_stand_as_written() -> None:
    found = tokenize(
        "Will Bright: I will let Bright AI, and Will Bright, do it", company="Bright AI", talent="Will Bright"
    )
    marked = [(token.text, token.role.value) for token in found if token.is_name]
    assert marked == [
        *(("Will", "talent"), ("Bright", "talent"), ("Bright", "company"), ("AI", "company")),
        *(("Will", "talent"), ("Bright", "talent")),
    ]


def test_braces_are_blanks() -> None:
    assert [(one.key, one.role) for one in tokenize("by {company} {")] == [("by", Role.TEXT), ("", Role.BLANK)]


def test_key_words_of_the_statement_at_hand() -> None:
    wanted = {"aware", "recordings", "used", "train", "create", "synthetic", "version", "resemble"}
    assert find_key_words(tokenize(RESEMBLE, company=COMPANY)) == wanted


def test_key_words_are_negations_too_but_no_names() -> None:
    text = "I do not agree that Acme will sell no recordings"
    assert find_key_words(tokenize(text, company="Acme")) == {"not", "no", "agree", "sell", "recordings"}


def said(word: str, **sounds_like: str) -> Pronunciation:
    return get_pronunciation(tokenize(f"a {word}")[1], sounds_like)


@pytest.mark.parametrize(
    ("word", "way"),
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
def test_what_is_said_is_sure(word: str, way: str) -> None:
    found = said(word)
    assert way in found.variants
    assert found.is_certain


@pytest.mark.parametrize(
    ("word", "way"),
    [("zyntrex", "Z IH N T R AH K S"), ("contoso", "K AA N T AH S OW"), ("fabrikam", "F AE B R IH K AH M")],
)
def test_what_nobody_knows_is_guessed(word: str, way: str) -> None:
    assert said(word) == Pronunciation((way,), is_certain=False)


def test_guesses_are_often_right() -> None:
    """Words whose own entry is hidden; half a dozen languages of surnames make more than that unlikely."""
    words = [word for word in list_common_words()[2000:20000:450] if len(word) > 3 and word.isalpha()]
    near = [word for word in words if said(f"{word}qx").variants[0].startswith(find_pronunciations(word)[0][:5])]
    assert len(words) > 30
    assert len(near) > 0.7 * len(words)


def test_no_letters_no_sound() -> None:
    assert said("Иванов") == Pronunciation((), is_certain=False)


def test_what_staff_say_counts_most() -> None:
    assert said("Zyntrex", zyntrex="zin trecks") == Pronunciation(("Z IH N T R EH K S",), is_certain=True)
    assert said("Voice", voice="bird") == Pronunciation(("B ER D",), is_certain=True)
    assert said("Voice", voice="…") == said("Voice")


def test_sounds_of_whole_names() -> None:
    told = map_words_to_sounds({"Zyntrex Labs": "zintrecks labs", "One Two": "three", "X": "a b", "": "c"})
    assert told == {"zyntrex": "zintrecks", "labs": "labs", "x": "a b"}


def test_parts_are_two_common_words() -> None:
    assert find_compound_parts("voicehub") == [("voice", "hub")]
    assert find_compound_parts("zyntrex") == find_compound_parts("the") == find_compound_parts("") == []


def test_rivals_are_near_but_neither_the_same_nor_nearly_so() -> None:
    near = find_confusable_words("northlight", "N AO R TH L AY T")
    assert "northland" in near and near["south_light"] == "S AW TH L AY T"
    assert "N AO R TH L AY T" not in near.values()
    assert "north_line" not in near, "one phone apart"
    assert "voice" not in find_confusable_words("voices", "V OY S AH Z")


def read(arpa: str) -> dict[tuple[str, ...], tuple[float, float]]:
    """Each n-gram with its chance and its back-off weight."""
    found = {}
    order = 0
    for line in arpa.splitlines():
        if line.endswith("-grams:"):
            order = int(line[1])
        elif order and line and not line.startswith("\\"):
            chance, *rest = line.split()
            words = tuple(rest[:order])
            weight = float(rest[order]) if len(rest) > order else 0.0
            found[words] = (10 ** float(chance), 10**weight)
    return found


def chance(model: dict[tuple[str, ...], tuple[float, float]], history: tuple[str, ...], word: str) -> float:
    """By the rule of back-off models."""
    if (*history, word) in model:
        return model[*history, word][0]
    if not history:
        return 0.0
    return model.get(history, (0.0, 1.0))[1] * chance(model, history[1:], word)


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
def test_the_language_model_sums_to_one_after_every_history(text: str) -> None:
    statement = tokenize(text, company=COMPANY)
    model = read(build_language_model(statement, BACKGROUND, {"northlight": ["northland", "north_line"]}))
    words = [ngram[0] for ngram in model if len(ngram) == 1 and ngram[0] != START]
    histories = [(), *(ngram for ngram in model if len(ngram) < 3 and ngram[-1] != END)]
    for history in histories:
        assert math.fsum(chance(model, history, word) for word in words) == pytest.approx(1, abs=2e-3), history


def test_the_language_model_says_how_many_lines_it_has() -> None:
    arpa = build_language_model(tokenize(RESEMBLE), BACKGROUND)
    counts: dict[int, int] = defaultdict(int)
    for ngram in read(arpa):
        counts[len(ngram)] += 1
    assert [f"ngram {order}={counts[order]}" for order in (1, 2, 3)] == arpa.splitlines()[1:4]
    with pytest.raises(ValueError, match="no word"):
        build_language_model(tokenize("{blank} …"), BACKGROUND)


def test_the_language_model_expects_the_text_and_is_shy_of_names() -> None:
    model = read(
        build_language_model(
            tokenize(RESEMBLE, company=COMPANY), BACKGROUND, {"northlight": ["northland", "north_line"]}
        )
    )
    assert chance(model, ("of", "my"), "voice") > 0.7
    assert 0.02 < chance(model, ("used", "by"), "northlight") <= 0.03
    assert chance(model, ("used", "by"), "northland") > 0.2
    assert chance(model, ("by", "northlight"), "voices") <= 0.03
    assert chance(model, ("northlight", "voices"), "to") > 0.7


def test_the_language_model_knows_how_it_would_sound_turned_round() -> None:
    model = read(build_language_model(tokenize(RESEMBLE), BACKGROUND))
    for before in (("voice", "will"), ("i", "am"), ("voices", "to")):
        assert chance(model, before, "not") > 0.05, before
        assert chance(model, before, "not") > 5 * chance(model, before, "bird"), before
    assert chance(model, ("voice", "will"), "never") > 0.05
    assert chance(model, ("will", "not"), "be") > 0.7
    agree = read(build_language_model(tokenize("I agree"), BACKGROUND))
    assert chance(agree, (START, "i"), "don't") > 0.05 and chance(agree, ("i", "do"), "not") > 0.5


def aligned(text: str, heard: str, company: str = "", unsure: Sequence[str] = ()) -> list[AlignedWord]:
    statement = tokenize(text, company=company)
    sayings = {token.key: Pronunciation(find_pronunciations(token.key), token.key not in unsure) for token in statement}
    times = [DecodedWord(word, place + 0.0, place + 1.0) for place, word in enumerate(heard.split())]
    return align_words(statement, sayings, times, 100.0)


def states(words: Sequence[AlignedWord]) -> str:
    return " ".join(f"{word.text}:{word.state.value}" for word in words)


@pytest.mark.parametrize(
    ("heard", "wanted"),
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
def test_alignment(heard: str, wanted: str) -> None:
    found = states(aligned("I am aware", heard))
    assert found == wanted or heard == "aware am i" and found.count("heard") == 1


def test_missing_words_have_the_gap_as_their_place() -> None:
    missing = aligned("I am aware", "i so aware")[1]
    assert (missing.state, missing.start, missing.end) == (State.MISSING, 1.0, 2.0)
    last = aligned("I am aware", "i am")[2]
    assert (last.start, last.end) == (2.0, 100.0)


def test_words_in_the_place_of_a_name_are_another_name() -> None:
    words = aligned("by Acme to", "by blue bird to", company="Acme")
    assert states(words) == "by:heard Acme:missing blue:other_company bird:other_company to:heard"


def test_doubtful_names_accuse_nobody() -> None:
    words = aligned("by Acme to", "by blue bird to", company="Acme", unsure=["acme"])
    assert states(words) == "by:heard Acme:doubtful blue:doubtful bird:doubtful to:heard"
    words = aligned("by Acme to", "by acme to", company="Acme", unsure=["acme"])
    assert states(words) == "by:heard Acme:doubtful to:heard"
    assert (words[1].start, words[1].end) == (1.0, 2.0)


def test_two_words_that_sound_as_one_are_that_one() -> None:
    statement = tokenize("by Northlight to")
    sayings = {token.key: said(token.text) for token in statement}
    times = [DecodedWord(word, place + 0.0, place + 1.0) for place, word in enumerate(["by", "north", "light", "to"])]
    words = align_words(statement, sayings, times, 9.0)
    assert states(words) == "by:heard Northlight:heard to:heard"
    assert (words[1].start, words[1].end) == (1.0, 3.0)


def test_a_token_without_a_key_is_never_heard() -> None:
    blank = Token("{x}", "", Role.BLANK)
    words = align_words([blank], {"": Pronunciation((), is_certain=False)}, [DecodedWord("x", 0.0, 1.0)], 1.0)
    assert [(word.text, word.state) for word in words] == [("{x}", State.DOUBTFUL), ("x", State.DOUBTFUL)]


def test_common_words_are_common() -> None:
    assert {"the", "to", "and", "i"} <= set(list_common_words()[:10])
    assert len(list_common_words()) == len(set(list_common_words())) == 20_000
