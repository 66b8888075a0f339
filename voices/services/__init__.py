"""Actions on voices, recordings and builds. Every status change of this app happens here."""
