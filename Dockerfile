# One image for every process: `web`, `worker`, `beat`, `migrate`, or `manage …` (docker/entrypoint.sh).
# Building needs neither a database nor Redis.

FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/base.txt /tmp/requirements.txt
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.txt

FROM python:3.12-slim-bookworm
ARG BUILD_ID=image
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=eventops.settings \
    BUILD_ID=$BUILD_ID
RUN groupadd --system --gid 10001 eventops \
    && useradd --system --uid 10001 --gid eventops --home-dir /app --shell /usr/sbin/nologin eventops \
    && install -d -o eventops -g eventops /app
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY . /app
RUN python -m compileall -q /app
# The secret and the address are for this command only; nothing connects.
RUN AUTH_SECRET=only-to-collect-static-files-while-building \
    DATABASE_URL=postgresql://nobody@127.0.0.1:1/none \
    python manage.py collectstatic --noinput --verbosity 0
USER eventops
EXPOSE 8000 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/docker/entrypoint.sh"]
CMD ["web"]
