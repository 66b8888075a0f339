"""The totals of imports are stored. Those of the imports that are there are counted once."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Count, Sum


def count_files(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    imports = apps.get_model("voices", "Import").objects
    rows = imports.annotate(count=Count("files"), size=Sum("files__size", default=0)).filter(count__gt=0)
    for pk, count, size in rows.order_by().values_list("pk", "count", "size"):
        imports.filter(pk=pk).update(file_count=count, file_bytes=size)


class Migration(migrations.Migration):
    dependencies = [("voices", "0036_import_added_by")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="file_bytes",
            field=models.PositiveBigIntegerField(default=0, help_text="The size of these files together."),
        ),
        migrations.AddField(
            model_name="import",
            name="file_count",
            field=models.PositiveIntegerField(default=0, help_text="How many files it has, also incomplete ones."),
        ),
        migrations.AddField(
            model_name="importclip",
            name="wav_size",
            field=models.PositiveBigIntegerField(default=0, help_text="In bytes, of the converted WAV."),
        ),
        migrations.RunPython(count_files, migrations.RunPython.noop, elidable=True),
    ]
