"""The ear of the house, without Django: it reads, measures, judges and prepares sound."""
