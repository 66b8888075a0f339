class NotPossible(Exception):
    """The step is not possible where things stand now. The text is for people and says why."""
