from django.db import migrations

# What was there before the triggers. The role sees every organization; no row may be written between the two steps, which
# holds because migrations run while the product is stopped or its tables are still empty.
SUMS = """
SELECT set_config('role', 'eventops_system', true);
INSERT INTO analytics_messagetally (organization_id, settled, event_id, day, status, messages, delivered, opened)
SELECT organization_id, true, event_id, (sent_at AT TIME ZONE 'UTC')::date, status, count(*), count(delivered_at), count(opened_at)
FROM outreach_message GROUP BY 1, 3, 4, 5;
INSERT INTO analytics_accounttally
  (organization_id, settled, event_id, account_id, messages, sent, delivered, opened, replied, meetings, booked, held)
SELECT organization_id, true, event_id, account_id, sum(messages), sum(sent), sum(delivered), sum(opened), sum(replied),
  sum(meetings), sum(booked), sum(held)
FROM (
  SELECT organization_id, event_id, account_id, count(*) AS messages, count(sent_at) AS sent, count(delivered_at) AS delivered,
    count(opened_at) AS opened, count(replied_at) AS replied, 0 AS meetings, 0 AS booked, 0 AS held
  FROM outreach_message WHERE account_id IS NOT NULL GROUP BY 1, 2, 3
  UNION ALL
  SELECT organization_id, event_id, account_id, 0, 0, 0, 0, 0, count(*) FILTER (WHERE status <> 'cancelled'),
    count(*) FILTER (WHERE status IN ('confirmed', 'checked_in', 'held', 'no_show')), count(*) FILTER (WHERE status = 'held')
  FROM meetings_meeting WHERE account_id IS NOT NULL GROUP BY 1, 2, 3
) AS both_kinds GROUP BY 1, 3, 4;
INSERT INTO analytics_peopletally (organization_id, settled, account_id, people)
SELECT organization_id, true, account_id, count(*) FROM people_person GROUP BY 1, 3;
SELECT set_config('role', 'none', true);
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_triggers")]

    operations = [migrations.RunSQL(SUMS, migrations.RunSQL.noop)]
