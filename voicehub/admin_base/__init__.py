"""What the admin pages of all apps share: how values look, lists and pages of rows, actions, tables of related rows."""
