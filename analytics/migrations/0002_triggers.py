from django.db import migrations

COUNT = """
-- Differences of the running sums. Inserts and deletes are counted once per statement, updates per row and only when a
-- counted column changes, so that the many updates of a message's way through the queue cost nothing here.

CREATE FUNCTION analytics_count_messages() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE sign integer := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
BEGIN
  INSERT INTO analytics_messagetally (organization_id, event_id, day, status, messages, delivered, opened)
  SELECT organization_id, event_id, (sent_at AT TIME ZONE 'UTC')::date, status,
         sign * count(*), sign * count(delivered_at), sign * count(opened_at)
  FROM changed GROUP BY 1, 2, 3, 4;
  INSERT INTO analytics_accounttally (organization_id, event_id, account_id, messages, sent, delivered, opened, replied)
  SELECT organization_id, event_id, account_id,
         sign * count(*), sign * count(sent_at), sign * count(delivered_at), sign * count(opened_at), sign * count(replied_at)
  FROM changed WHERE account_id IS NOT NULL GROUP BY 1, 2, 3;
  RETURN NULL;
END $body$;

CREATE FUNCTION analytics_recount_message() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO analytics_messagetally (organization_id, event_id, day, status, messages, delivered, opened)
  SELECT organization_id, event_id, day, status, sum(n), sum(delivered), sum(opened) FROM (VALUES
    (OLD.organization_id, OLD.event_id, (OLD.sent_at AT TIME ZONE 'UTC')::date, OLD.status,
     -1, -(OLD.delivered_at IS NOT NULL)::int, -(OLD.opened_at IS NOT NULL)::int),
    (NEW.organization_id, NEW.event_id, (NEW.sent_at AT TIME ZONE 'UTC')::date, NEW.status,
     1, (NEW.delivered_at IS NOT NULL)::int, (NEW.opened_at IS NOT NULL)::int)
  ) AS v (organization_id, event_id, day, status, n, delivered, opened)
  GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 OR sum(delivered) <> 0 OR sum(opened) <> 0;
  INSERT INTO analytics_accounttally (organization_id, event_id, account_id, messages, sent, delivered, opened, replied)
  SELECT organization_id, event_id, account_id, sum(n), sum(sent), sum(delivered), sum(opened), sum(replied) FROM (VALUES
    (OLD.organization_id, OLD.event_id, OLD.account_id, -1, -(OLD.sent_at IS NOT NULL)::int,
     -(OLD.delivered_at IS NOT NULL)::int, -(OLD.opened_at IS NOT NULL)::int, -(OLD.replied_at IS NOT NULL)::int),
    (NEW.organization_id, NEW.event_id, NEW.account_id, 1, (NEW.sent_at IS NOT NULL)::int,
     (NEW.delivered_at IS NOT NULL)::int, (NEW.opened_at IS NOT NULL)::int, (NEW.replied_at IS NOT NULL)::int)
  ) AS v (organization_id, event_id, account_id, n, sent, delivered, opened, replied)
  WHERE account_id IS NOT NULL GROUP BY 1, 2, 3
  HAVING sum(n) <> 0 OR sum(sent) <> 0 OR sum(delivered) <> 0 OR sum(opened) <> 0 OR sum(replied) <> 0;
  RETURN NULL;
END $body$;

CREATE TRIGGER analytics_messages_in AFTER INSERT ON outreach_message
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION analytics_count_messages();
CREATE TRIGGER analytics_messages_out AFTER DELETE ON outreach_message
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION analytics_count_messages();
CREATE TRIGGER analytics_messages_changed AFTER UPDATE ON outreach_message FOR EACH ROW
  WHEN ((OLD.event_id, OLD.account_id, OLD.sent_at, OLD.replied_at IS NULL, OLD.bounced_at IS NULL, OLD.delivered_at IS NULL,
         OLD.opened_at IS NULL)
    IS DISTINCT FROM
        (NEW.event_id, NEW.account_id, NEW.sent_at, NEW.replied_at IS NULL, NEW.bounced_at IS NULL, NEW.delivered_at IS NULL,
         NEW.opened_at IS NULL))
  EXECUTE FUNCTION analytics_recount_message();

CREATE FUNCTION analytics_count_meeting() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.account_id IS NOT NULL THEN
    INSERT INTO analytics_accounttally (organization_id, event_id, account_id, meetings, booked, held)
    VALUES (OLD.organization_id, OLD.event_id, OLD.account_id, -(OLD.status <> 'cancelled')::int,
            -(OLD.status IN ('confirmed', 'checked_in', 'held', 'no_show'))::int, -(OLD.status = 'held')::int);
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.account_id IS NOT NULL THEN
    INSERT INTO analytics_accounttally (organization_id, event_id, account_id, meetings, booked, held)
    VALUES (NEW.organization_id, NEW.event_id, NEW.account_id, (NEW.status <> 'cancelled')::int,
            (NEW.status IN ('confirmed', 'checked_in', 'held', 'no_show'))::int, (NEW.status = 'held')::int);
  END IF;
  RETURN NULL;
END $body$;

CREATE TRIGGER analytics_meetings_counted AFTER INSERT OR DELETE ON meetings_meeting
  FOR EACH ROW EXECUTE FUNCTION analytics_count_meeting();
CREATE TRIGGER analytics_meetings_changed AFTER UPDATE ON meetings_meeting FOR EACH ROW
  WHEN ((OLD.event_id, OLD.account_id, OLD.status) IS DISTINCT FROM (NEW.event_id, NEW.account_id, NEW.status))
  EXECUTE FUNCTION analytics_count_meeting();

CREATE FUNCTION analytics_count_people() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE sign integer := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
BEGIN
  INSERT INTO analytics_peopletally (organization_id, account_id, people)
  SELECT organization_id, account_id, sign * count(*) FROM changed GROUP BY 1, 2;
  RETURN NULL;
END $body$;

CREATE FUNCTION analytics_move_person() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO analytics_peopletally (organization_id, account_id, people)
  VALUES (OLD.organization_id, OLD.account_id, -1), (NEW.organization_id, NEW.account_id, 1);
  RETURN NULL;
END $body$;

CREATE TRIGGER analytics_people_in AFTER INSERT ON people_person
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION analytics_count_people();
CREATE TRIGGER analytics_people_out AFTER DELETE ON people_person
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION analytics_count_people();
CREATE TRIGGER analytics_people_moved AFTER UPDATE ON people_person FOR EACH ROW
  WHEN (OLD.account_id IS DISTINCT FROM NEW.account_id) EXECUTE FUNCTION analytics_move_person();
"""

STOP = """
DROP TRIGGER analytics_messages_in ON outreach_message;
DROP TRIGGER analytics_messages_out ON outreach_message;
DROP TRIGGER analytics_messages_changed ON outreach_message;
DROP TRIGGER analytics_meetings_counted ON meetings_meeting;
DROP TRIGGER analytics_meetings_changed ON meetings_meeting;
DROP TRIGGER analytics_people_in ON people_person;
DROP TRIGGER analytics_people_out ON people_person;
DROP TRIGGER analytics_people_moved ON people_person;
DROP FUNCTION analytics_count_messages, analytics_recount_message, analytics_count_meeting, analytics_count_people,
  analytics_move_person;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0001_tallies"),
        ("meetings", "0001_initial"),
        ("outreach", "0001_initial"),
        ("people", "0001_initial"),
    ]

    operations = [migrations.RunSQL(COUNT, STOP)]
