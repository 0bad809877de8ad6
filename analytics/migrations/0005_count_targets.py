from django.db import migrations

COUNT = """
CREATE FUNCTION analytics_count_targets() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE sign integer := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
BEGIN
  INSERT INTO analytics_accounttally (organization_id, event_id, account_id, targets)
  SELECT organization_id, event_id, account_id, sign * count(*) FROM changed GROUP BY 1, 2, 3;
  RETURN NULL;
END $body$;

CREATE FUNCTION analytics_move_target() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO analytics_accounttally (organization_id, event_id, account_id, targets)
  VALUES (OLD.organization_id, OLD.event_id, OLD.account_id, -1), (NEW.organization_id, NEW.event_id, NEW.account_id, 1);
  RETURN NULL;
END $body$;

CREATE TRIGGER analytics_targets_in AFTER INSERT ON accounts_targetaccount
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION analytics_count_targets();
CREATE TRIGGER analytics_targets_out AFTER DELETE ON accounts_targetaccount
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION analytics_count_targets();
CREATE TRIGGER analytics_targets_moved AFTER UPDATE ON accounts_targetaccount FOR EACH ROW
  WHEN ((OLD.event_id, OLD.account_id) IS DISTINCT FROM (NEW.event_id, NEW.account_id))
  EXECUTE FUNCTION analytics_move_target();
"""

STOP = """
DROP TRIGGER analytics_targets_in ON accounts_targetaccount;
DROP TRIGGER analytics_targets_out ON accounts_targetaccount;
DROP TRIGGER analytics_targets_moved ON accounts_targetaccount;
DROP FUNCTION analytics_count_targets, analytics_move_target;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("analytics", "0004_targets")]

    operations = [migrations.RunSQL(COUNT, STOP)]
