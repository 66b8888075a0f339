"""Text without case and accents is the same in Python and in the database."""

import pytest

from consent.models import Talent
from voicehub.folding import fold
from voicehub.models import User

NAMES = {
    "Zoë Ångström": "zoe angstrom",
    "Zoe\u0308 decomposed": "zoe decomposed",
    "ŁUKASZ ØDEGÅRD": "lukasz odegard",
    "Strauß & Æsop": "strauss & aesop",
    "Iİıi": "iiii",
    "ﬁne": "fine",
    "Plain": "plain",
    "": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_text_is_folded(name: str) -> None:
    assert fold(name) == NAMES[name]


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_database_folds_as_python_does(name: str, producer: User) -> None:
    talent = Talent.objects.create(name=name, created_by=producer)
    assert list(Talent.objects.filter(name__fold=fold(name))) == [talent]
    assert not Talent.objects.filter(name__fold=f"{fold(name)}x").exists()
