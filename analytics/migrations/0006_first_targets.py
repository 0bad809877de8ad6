from django.db import migrations

SUMS = """
SELECT set_config('role', 'eventops_system', true);
INSERT INTO analytics_accounttally (organization_id, event_id, account_id, targets)
SELECT organization_id, event_id, account_id, count(*) FROM accounts_targetaccount GROUP BY 1, 2, 3;
SELECT set_config('role', 'none', true);
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_count_targets")]

    operations = [migrations.RunSQL(SUMS, migrations.RunSQL.noop)]
