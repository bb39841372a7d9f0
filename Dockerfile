# One image for producer, stream, report and JupyterLab: everything a container needs is in it, so that it starts
# without a network. Built by `docker compose build`, from the same locks as .venv: docs/running.md.

# The tag is in assets/images.toml, with its source.
ARG PYTHON_IMAGE=python:3.13.9-slim-trixie

FROM ${PYTHON_IMAGE} AS base
ENV PATH=/opt/venv/bin:$PATH \
    INDUTECH_CACHE_DIR=/opt/jars \
    # a log line that waits in a buffer is lost with its container
    PYTHONUNBUFFERED=1 \
    # the kernel of this image, not one that somebody keeps in the mounted notebooks
    JUPYTER_PREFER_ENV_PATH=1
WORKDIR /opt/indutech

# What changes rarely and takes long: packages and jars, each checked against the hash in its lock.
FROM base AS build
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
# Only what fetching the jars needs: a change in any other module does not fetch them again.
COPY assets/jars.lock assets/
COPY lib/indutech/__init__.py lib/indutech/
COPY lib/indutech/system lib/indutech/system
COPY lib/indutech/jvm lib/indutech/jvm
RUN PYTHONPATH=lib python -m indutech.jvm.jars kafka-server spark-kafka spark-s3

FROM base
LABEL org.opencontainers.image.title="InduTech" \
      org.opencontainers.image.description="Support tickets from a generator to a reconciled lake: producer, stream, report, JupyterLab" \
      org.opencontainers.image.licenses="MIT"
# The numbers of the host's user, whom data_output belongs to. A build argument, because Hadoop, which Spark brings,
# does not start for a number that has no name.
ARG UID=1000
ARG GID=1000
RUN groupadd --non-unique --gid "$GID" indutech \
 && useradd --no-log-init --non-unique --uid "$UID" --gid "$GID" --create-home indutech
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/jars /opt/jars
COPY . .
# Editable, as in .venv: the package reads assets, notebooks and docs beside it.
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable . \
 && mkdir data_output \
 && chown "$UID:$GID" data_output
USER $UID:$GID
# Each service of docker-compose.yml says what well means for it; alone, it means that the broker answers.
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s --retries=3 CMD ["indutech", "health"]
CMD ["indutech", "--help"]
