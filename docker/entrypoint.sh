#!/bin/sh
# web | worker | beat | migrate | manage ARGS…   anything else is run as it is.
set -eu
cd /app

case "${1:-web}" in
	web)
		export DATABASE_POOL="${DATABASE_POOL:-1}"
		exec gunicorn eventops.wsgi
		;;
	worker)
		shift
		exec celery -A eventops worker --loglevel "${LOG_LEVEL:-INFO}" --concurrency "${WORKER_CONCURRENCY:-4}" "$@"
		;;
	beat)
		shift
		exec celery -A eventops beat --loglevel "${LOG_LEVEL:-INFO}" --pidfile= "$@"
		;;
	migrate)
		# A migration that cannot get its lock gives up instead of queueing everybody behind it; run it again.
		PGOPTIONS="-c lock_timeout=${MIGRATE_LOCK_TIMEOUT:-10s}"
		export PGOPTIONS
		exec python manage.py migrate --noinput
		;;
	manage)
		shift
		exec python manage.py "$@"
		;;
	*)
		exec "$@"
		;;
esac
