"""The way from manage.py to the embedded studio."""


def prepare(argv: list[str]) -> None:
    """Called by manage.py with its arguments; if they start the studio, does so and never returns."""
    if argv[1:2] == ["studio"] and not {"--help", "-h"} & set(argv):
        from launcher import studio

        studio.main(argv[2:])
