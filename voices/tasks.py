"""Background work of this app: each handler hands over to a service."""
