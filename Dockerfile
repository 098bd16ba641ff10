# deskwatch: the sidecar, the demo bot and `stack prepare`, in one image.
#
# Stage 1 builds the wheel and installs it, with pinned dependencies, into a virtual environment; stage 2 takes only that.
# Both stages are the same Python, so the environment is moved without a change.
FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src

COPY constraints.txt pyproject.toml README.md ./
COPY exporter exporter
COPY examples examples
RUN python -m pip wheel --no-deps --wheel-dir /wheels . \
    && python -m venv /opt/deskwatch \
    && /opt/deskwatch/bin/pip install --constraint constraints.txt "$(ls /wheels/deskwatch-*.whl)[sidecar,demo,stack,freqtrade,evm,hummingbot]" \
    && /opt/deskwatch/bin/pip uninstall --yes pip setuptools


FROM python:3.11-slim-bookworm

# A user of its own, by number: compose's secrets are given to this number (deskwatch.stack.OWNERS).
RUN groupadd --gid 10464 deskwatch \
    && useradd --uid 10464 --gid 10464 --no-create-home --home-dir /data --shell /usr/sbin/nologin deskwatch \
    && install --directory --owner=10464 --group=10464 --mode=0700 /data

COPY --from=build /opt/deskwatch /opt/deskwatch

ENV PATH=/opt/deskwatch/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DESKWATCH_HOME=/data

USER 10464:10464
WORKDIR /data
VOLUME /data
EXPOSE 9464

# /healthz needs no token. The image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", \
    "import urllib.request as u; u.urlopen('http://127.0.0.1:9464/healthz', timeout=4).close()"]

ENTRYPOINT ["deskwatch"]
# Within a container's network, without TLS. Where others share that network, give --tls-cert and --tls-key in its place.
CMD ["sidecar", "--host", "0.0.0.0", "--insecure-http"]
