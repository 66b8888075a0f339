"""Recordings: upload, analyze and split them."""
