from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outreach", "0012_wordings_compared")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                fields=["comparison", "variant"],
                condition=models.Q(("comparison__isnull", False)),
                name="message_by_comparison",
            ),
        ),
    ]
