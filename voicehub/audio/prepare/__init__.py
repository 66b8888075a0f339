"""Making what a provider wants out of recordings that are never touched: cut, join, choose, set edges, pack."""
