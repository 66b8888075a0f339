"""The talents of the full studio, with their contracts and the states of their consents. No person in it is real."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """`contract` names one of the kinds in `contracts.py`.

    `consents` has the provider, the purpose and the state of each, such as "resemble_v2 narration approved". A second
    approval replaces the first. `voices` has for each voice its name and how many recordings it has.
    """

    name: str
    email: str
    language: str
    contract: str
    consents: tuple[str, ...] = ()
    voices: tuple[tuple[str, int], ...] = ()
    notes: str = ""


PEOPLE = (
    Person(
        "Sally Lind", "sally@lind.example", "en", "open",
        (
            "resemble_v2 narration approved", "resemble_v1 narration approved", "audiostack narration approved",
            "speechgen narration approved", "voiceai narration approved", "resemble_v2 internal approved",
            "resemble_v2 internal approved",
            "resemble_v2 advertising review",
        ),
        (("Sally, museum guide", 349), ("Sally, audiobooks", 96), ("Sally, telephone menu", 24)),
        "Prefers mornings. Records at home with a Neumann TLM 103.",
    ),
    Person(
        "Rob Marsh", "rob@marsh.example", "en", "ending",
        ("resemble_v2 narration approved", "speechgen advertising review"),
        (("Rob, station announcements", 25), ("Rob, weather", 60)),
    ),
    Person("Alan Webb", "alan@webb.example", "en", "force", ("resemble_v2 narration review",), (("Alan, radio", 0),)),
    Person(
        "Kim Aldous", "kim.aldous@mail.example", "en", "force",
        ("resemble_v2 narration asked", "voiceai narration asked", "speechgen narration asked"),
    ),
    Person(
        "Jürgen Müller-Lüdenscheidt", "juergen.mueller-luedenscheidt@sprecheragentur-hamburg.example", "de", "force",
        ("resemble_v2 narration approved", "audiostack narration approved", "voiceai narration approved"),
        (("Jürgen, Hörbücher und Sachtexte für Museen und Ausstellungen", 180), ("Jürgen, Navigation", 75)),
    ),
    Person(
        "田中 芽衣", "mei@tanaka.example", "ja", "force",
        ("resemble_v2 narration approved", "resemble_v2 entertainment approved"),
        (("芽衣、オーディオブック", 121), ("Mei, character voices", 88)),
    ),
    Person(
        "Inês Carvalho de Albuquerque e Vasconcelos", "ines@vozes.example", "pt-br", "force",
        ("resemble_v2 narration approved", "speechgen narration approved", "audiostack narration asked"),
        (("Inês, language course", 84),),
    ),
    Person(
        "Amara Okafor", "amara.okafor@mail.example", "en", "open",
        ("resemble_v2 narration approved", "audiostack narration approved"),
        (("Amara, meditation", 75), ("Amara, sleep stories", 140)),
    ),
    Person(
        "Jonas Lindqvist", "jonas@lindqvist.example", "en", "ending soon",
        ("audiostack narration approved",), (("Jonas, news", 66),),
    ),
    Person(
        "Luca Brandt", "luca@brandt.example", "de", "force",
        ("speechgen narration approved", "voiceai narration approved"), (("Luca, car navigation", 18),),
    ),
    Person(
        "Nora Fields", "nora@fields.example", "en", "force",
        ("resemble_v2 narration approved", "resemble_v1 narration approved"), (("Nora, museum guide", 132),),
    ),
    Person(
        "Kofi Mensah", "kofi@mensah.example", "en", "force",
        ("audiostack narration withdrawn", "resemble_v2 narration withdrawn"), (("Kofi, documentary", 48),),
    ),
    Person(
        "Tess Malloy", "tess@malloy.example", "en", "force",
        ("resemble_v2 advertising review", "speechgen advertising review", "voiceai advertising questions"),
        (("Tess, commercials", 12),),
    ),
    Person(
        "Petra Lang", "petra@lang.example", "de", "force",
        ("resemble_v2 narration opened", "voiceai narration opened"),
    ),
    Person("Sofia Marín Echeverría", "sofia@marin.example", "es", "none"),
    Person(
        "Dana Whitlock", "dana@whitlock.example", "en", "ending soon",
        ("resemble_v2 narration approved",), (("Dana, e-learning", 54),),
    ),
    Person(
        "Bo Li", "bo@li.example", "en", "force",
        ("voiceai narration approved",), (("Bo, shop", 6), ("Bo, lift", 1), ("Bo, car park", 0)),
    ),
    Person(
        "Øyvind Ås", "oyvind@as.example", "en", "expired",
        ("resemble_v2 narration expired", "speechgen narration approved"), (("Øyvind, ferry announcements", 40),),
    ),
    Person("Zoë Dąbrowska-Wiśniewska", "zoe@dabrowska.example", "en", "force", ("resemble_v2 narration questions",)),
    Person("Marie-Ève Lefèbvre", "marie-eve@lefebvre.example", "fr", "unconfirmed", ("resemble_v2 narration asked",)),
    Person(
        "Chidi Nwosu", "chidi@nwosu.example", "en", "suspended",
        ("resemble_v2 narration suspended", "voiceai narration approved"), (("Chidi, sports", 45),),
    ),
    Person(
        "Ana Ruiz", "ana@ruiz.example", "es", "force",
        ("audiostack narration declined", "voiceai narration voided"), (("Ana, trailers", 14),),
    ),
    Person(
        "Tomáš Dvořák", "tomas@dvorak.example", "en", "force",
        ("resemble_v2 narration retake",), (("Tomáš, games", 33),),
    ),
    Person("Priya Raghunathan", "priya@raghunathan.example", "en", "future", ("resemble_v2 narration asked",)),
    Person(
        "Frederike van den Heuvel-Oosterhuis", "frederike@heuvel.example", "de", "force",
        ("resemble_v2 narration late", "speechgen narration approved"), (("Frederike, radio plays", 27),),
    ),
    Person("Mo", "mo@mo.example", "en", "force", ("speechgen narration approved",), (("Mo", 9),)),
    Person("Ngozi Adichie-Bello", "", "en", "force", ("resemble_v2 narration opened",), (("Ngozi, poems", 3),)),
    Person(
        "Émile Fontaine", "emile@fontaine.example", "fr", "force",
        ("resemble_v2 narration approved", "resemble_v2 internal approved"),
        (("Émile, audio guide of the harbor", 58), ("Émile, training courses", 20)),
    ),
    Person("Wanda Zielińska", "wanda@zielinska.example", "en", "draft", (), ()),
)  # fmt: skip

SENTENCES = (
    "The next tour begins at the main entrance in five minutes.",
    "Please keep your ticket until you have left the station.",
    "In the spring of that year, the river rose above the old bridge.",
    "Turn right after two hundred meters, then keep to the left lane.",
    "Nothing in the letter explained why she had sold the house.",
    "Press one for opening hours, two for tickets, or stay on the line.",
    "He counted the boats twice, and there was still one missing.",
    "The forecast for tomorrow: light rain in the morning, dry by noon.",
    "Take a slow breath in, and let your shoulders drop as you breathe out.",
    "This painting was made in the winter, when the harbor was frozen.",
    "All trains to the airport leave from platform nine this afternoon.",
    "Have you ever wondered how a lighthouse keeper spends the summer?",
    "Fold the edges toward the middle, and press until they hold.",
    "We are sorry, the number that you have dialed is not in use.",
    "A fox crossed the yard at dusk, stopped, and looked at the window.",
    "Your parcel will arrive between ten and twelve on Thursday.",
    "Before the theater was built, there was a market on this square.",
    "Listen to the sentence once more, and then repeat it aloud.",
    "She laughed, closed the book, and asked for another story.",
    "Mind the gap between the train and the platform.",
    "The second volume was never printed, although it was announced twice.",
    "Stay on this road for eleven kilometers.",
    "Warm the milk gently; it must not boil.",
    "At half past six, the lamps along the pier went on, one after the other.",
)
