"""Fast writes of many rows, each with values of its own."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Model


def update_rows(rows: Sequence[Model], names: Sequence[str]) -> None:
    """Write these fields of each row, of one model.

    All rows share one statement. `bulk_update` makes an expression of each value instead, which takes far longer.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields = {field.name: field for field in meta.concrete_fields}
    written, quote = [*(fields[name] for name in names), fields["id"]], connection.ops.quote_name
    assignments = ", ".join(f"{quote(fields[name].column or name)} = %s" for name in names)
    table = quote(meta.db_table)
    statement = f"UPDATE {table} SET {assignments} WHERE id = %s"  # noqa: S608 - names of the model; values are parameters
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in written] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
