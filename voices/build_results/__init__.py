"""What pages and reports show of a build's result: its timeline, scores, distributions, changes and trends."""
