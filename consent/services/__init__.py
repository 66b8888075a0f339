"""Services for talents, contracts and consents. Every status change of this app happens here."""
