"""What can be done with talents, contracts and consents. Every status change of this app happens in here."""
