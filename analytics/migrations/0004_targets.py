from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_first_sums")]

    operations = [
        migrations.AddField("accounttally", "targets", models.IntegerField(db_default=0, default=0)),
    ]
