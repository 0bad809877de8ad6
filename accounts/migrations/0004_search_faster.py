from django.db import migrations

from common.search import search_functions_sql


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_bulk_jobs")]

    operations = [migrations.RunSQL(search_functions_sql("accounts_account"), migrations.RunSQL.noop)]
