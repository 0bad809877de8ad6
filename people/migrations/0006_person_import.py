from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0005_import_lanes")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="import_id",
            field=models.UUIDField(
                blank=True,
                editable=False,
                help_text="The import they came with, and its entry on the timeline.",
                null=True,
            ),
        ),
    ]
