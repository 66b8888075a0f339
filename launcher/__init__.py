"""What `make run` needs before Django: supervisor, embedded Valkey, gunicorn settings, first-run secrets."""
