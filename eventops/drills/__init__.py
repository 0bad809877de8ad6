"""Drills: the product under faults, with its own web server and Celery workers as processes and the vendors played."""
