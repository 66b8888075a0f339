from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("consent", "0005_more_statements")]

    operations = [migrations.RenameField("takecheck", "trouble", "error")]
