"""How the table of recordings sorts rows that lack a value. The indexes of the model have the same expressions."""

from django.db.models import F, Func


def order_unknown(column: str, stand_in: int) -> Func:
    """The column in an order in which rows without a value stand where `stand_in` does.

    The number is part of the expression, because SQLite uses no index for one with a parameter.
    """
    return Func(F(column), template=f"COALESCE(%(expressions)s, {stand_in})")


BELOW_ALL, ABOVE_ALL = -1000, 1000
WORST_QUALITY, BEST_QUALITY = order_unknown("quality", ABOVE_ALL), order_unknown("quality", BELOW_ALL)
MOST_SEVERE = order_unknown("worst_severity", BELOW_ALL)
NOISIEST = order_unknown("signal_to_noise", ABOVE_ALL)
QUIETEST, LOUDEST = order_unknown("loudness", ABOVE_ALL), order_unknown("loudness", BELOW_ALL)
