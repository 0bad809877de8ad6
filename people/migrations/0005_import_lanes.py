import django.db.models.deletion
from django.db import migrations, models

# Imports that are under way go on where they are: companies came before people.
GO_ON = """
UPDATE people_listimport SET companies_done = rows_total WHERE phase = 'rows';
UPDATE people_listimport SET companies_done = rows_done, rows_done = 0, phase = 'rows' WHERE phase = 'companies';
"""
UNDO = """
UPDATE people_listimport SET phase = 'companies', rows_done = companies_done
WHERE phase = 'rows' AND companies_done < rows_total AND rows_done = 0;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0002_invitation_mail_and_idempotency"),
        ("people", "0004_search_faster"),
    ]

    operations = [
        migrations.AddField(
            model_name="listimport",
            name="companies_done",
            field=models.PositiveIntegerField(default=0, help_text="Rows whose companies are settled."),
        ),
        migrations.AddField(
            model_name="listimport",
            name="rows_ahead",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Stretches of rows, [low, high], done before those in front of them.",
            ),
        ),
        migrations.AlterField(
            model_name="listimport",
            name="phase",
            field=models.CharField(
                choices=[
                    ("read", "Reading the file"),
                    ("group", "Looking for repeated rows"),
                    ("rows", "Companies and people"),
                ],
                default="read",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="personemail",
            name="organization",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="identity.organization",
            ),
        ),
        migrations.RunSQL(
            f"SET LOCAL ROLE eventops_system; {GO_ON} RESET ROLE", f"SET LOCAL ROLE eventops_system; {UNDO} RESET ROLE"
        ),
    ]
