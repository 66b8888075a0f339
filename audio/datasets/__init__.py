"""Makes datasets: selects, cuts, joins and packages clips."""
