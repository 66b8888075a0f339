"""What each tier of each provider can do and asks for, as data with sources."""
