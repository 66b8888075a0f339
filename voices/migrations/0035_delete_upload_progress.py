from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("voices", "0034_cut_proposals"),
    ]

    operations = [
        migrations.DeleteModel(name="UploadProgress"),
    ]
