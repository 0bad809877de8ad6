from django.db import migrations

# Domains that have long been sending go on: their checks are shown, and a person ends the exception when they pass.
GO_ON = """
SET LOCAL ROLE eventops_system;
INSERT INTO outreach_sendingdomain (id, organization_id, created_at, updated_at, domain, state, findings, dkim_selector)
SELECT gen_random_uuid(), organization_id, now(), now(), from_domain, 'unchecked', '[]', ''
FROM (SELECT DISTINCT organization_id, from_domain FROM outreach_mailbox WHERE archived_at IS NULL) AS used;
INSERT INTO outreach_domainoverride (id, organization_id, created_at, updated_at, domain_id, reason, made_at)
SELECT gen_random_uuid(), organization_id, now(), now(), id, 'It was sending before domains were checked.', now()
FROM outreach_sendingdomain;
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [("outreach", "0009_sending_domains")]

    operations = [migrations.RunSQL(GO_ON, migrations.RunSQL.noop)]
