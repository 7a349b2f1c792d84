# Farandole with all that it can use. Your own image adds your choreography:
#
#     FROM farandole
#     COPY --chown=root:root shop /app/shop
#     CMD ["work", "shop.payments:orders"]

FROM python:3.13-slim-bookworm AS build
WORKDIR /build
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && python -m venv /opt/farandole \
 && /opt/farandole/bin/pip install --no-cache-dir "farandole[postgres,dashboard,oidc,registry,encryption] @ file://$(ls /wheels/*.whl)"

FROM python:3.13-slim-bookworm
# Nobody in the image can write where its programs are.
RUN useradd --system --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin farandole
COPY --from=build /opt/farandole /opt/farandole
ENV PATH=/opt/farandole/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    FARANDOLE_HEALTH=http://127.0.0.1:9464/readyz
WORKDIR /app
USER 10001:10001
EXPOSE 9464 8600
# A worker by --metrics-port 9464; for a server set FARANDOLE_HEALTH to http://127.0.0.1:8600/readyz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(os.environ['FARANDOLE_HEALTH'], timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["farandole"]
CMD ["--help"]
