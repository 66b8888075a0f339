"""Imports: check the uploaded files, match clips with texts, add them to the voice, or delete them."""
