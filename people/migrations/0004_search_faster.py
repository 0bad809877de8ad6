from django.db import migrations

from common.search import search_functions_sql


class Migration(migrations.Migration):
    dependencies = [("people", "0003_import")]

    operations = [migrations.RunSQL(search_functions_sql("people_person"), migrations.RunSQL.noop)]
