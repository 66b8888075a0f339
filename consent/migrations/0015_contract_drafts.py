"""The PDF of a contract form that had an error is kept for a day. No form has left one yet."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import consent.models.contract_draft
import voicehub.storage


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0014_legal_hold"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContractDraft",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "file",
                    models.FileField(
                        max_length=200,
                        storage=voicehub.storage.private,
                        upload_to=consent.models.contract_draft.contract_draft_path,
                    ),
                ),
                ("file_name", models.CharField(editable=False, max_length=200)),
                ("size", models.PositiveIntegerField(editable=False)),
                ("sha256", models.CharField(editable=False, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "owner",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "talent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="contract_drafts", to="consent.talent"
                    ),
                ),
            ],
            options={"ordering": ["-created_at"]},
        ),
    ]
