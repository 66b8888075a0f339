"""Sign-in of staff with django-allauth: our limits, words, sessions and mails around its flows."""
