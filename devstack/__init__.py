"""The development stack: PostgreSQL and Valkey from wheels, started on demand and shared by everything in one checkout.

``python -m devstack exec -- CMD`` runs CMD with ``DATABASE_URL`` and ``REDIS_URL`` set. A server is started by the first
user and stopped when the last one leaves, however it left: each server belongs to a *keeper*, a small process that holds
no work of its own and waits for the lock all users share. A variable that is already set is respected and nothing is
started for it. Needs only the standard library and psycopg.
"""
