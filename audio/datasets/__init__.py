"""Makes datasets: selects, splits, concatenates and packages clips."""
