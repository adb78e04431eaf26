# The sidecar, and nothing else: no shell is needed to run it, no file of it has to be written, and
# its user is a number, so that Kubernetes can tell that it is not root.  See docs/deploy/image.md.
#
# PYTHON_IMAGE is any image with python3 of 3.11.3 or newer, its venv, a shell and CA certificates.
# By its digest it is the same tomorrow: --build-arg PYTHON_IMAGE=docker.io/library/python@sha256:...
ARG PYTHON_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements.lock ./
# The secret is for who has a package index of their own; without it, it is not there.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python3 -m venv /opt/extproc \
 && /opt/extproc/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-compile \
    --require-hashes --no-deps --requirement requirements.lock
COPY . .
# What installs packages is of no use to who runs it, but to who breaks in.  Nothing can be compiled
# on a read-only root: all of it is now, for good (unchecked: whatever date a file is given).
RUN /opt/extproc/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-compile \
    --no-deps --no-build-isolation . \
 && /opt/extproc/bin/python -m pip uninstall --yes --quiet setuptools pip \
 && /opt/extproc/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/extproc/lib

FROM build AS described
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python3 -m venv /opt/sbom \
 && /opt/sbom/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-compile \
    --require-hashes --no-deps --requirement requirements-sbom.lock \
 && /opt/sbom/bin/cyclonedx-py environment --pyproject pyproject.toml --output-format JSON \
    --output-reproducible --output-file /extproc.cdx.json /opt/extproc/bin/python

FROM scratch AS sbom
COPY --from=described /extproc.cdx.json /

FROM ${PYTHON_IMAGE}
# The base brings what installs packages too, its library uncompiled, and programs that run as root
# whoever starts them.
RUN library=$(python3 -c 'import os; print(os.path.dirname(os.__file__))') \
 && find /usr -depth \( -name pip -o -name 'pip-*' -o -name 'pip3*' -o -name ensurepip \
    -o -name setuptools -o -name 'setuptools-*' -o -name pkg_resources -o -name _distutils_hack \
    -o -name distutils-precedence.pth -o -name wheel -o -name 'wheel-*' \) -exec rm -rf {} + \
 && find / -xdev -perm /6000 -exec chmod a-s {} + \
 && python3 -m compileall -q --invalidation-mode unchecked-hash "$library"
COPY --from=build /opt/extproc /opt/extproc
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="extproc" \
      org.opencontainers.image.description="Envoy sidecar that makes a machine-learning API expensive to copy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/extproc/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/extproc/bin/extproc"]
CMD ["serve", "--policy", "/etc/extproc/policy/policy.yaml"]
