"""The life of a build: prepare, submit, poll, reconcile."""
