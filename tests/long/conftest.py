"""Long tests, for `make test-long` only: they take minutes, and ask for more than a first checkout has."""
