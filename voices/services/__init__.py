"""What can be done with voices, recordings and builds. Every status change of this app happens in here."""
