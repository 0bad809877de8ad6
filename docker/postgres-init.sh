#!/bin/sh
# Runs once, when the database volume is empty: the roles and the database as EventOps wants them.
set -eu
: "${EVENTOPS_PASSWORD:?set DATABASE_PASSWORD in .env}"

psql -v ON_ERROR_STOP=1 -v password="$EVENTOPS_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE eventops LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'password';
CREATE ROLE eventops_system NOLOGIN NOSUPERUSER NOBYPASSRLS;
GRANT eventops_system TO eventops WITH INHERIT FALSE, SET TRUE;
CREATE DATABASE eventops OWNER eventops;
\connect eventops
GRANT CREATE, USAGE ON SCHEMA public TO eventops_system;
SQL
