# syntax=docker/dockerfile:1
# One image a service, and `dvt` for migrations and the command line:
#   docker build --target gateway|projector|artifact|executor|dvt .
# Dependencies are a layer of their own: it is built again only when a Cargo.toml or Cargo.lock changes.

FROM node:22-bookworm-slim AS web
WORKDIR /src/services/web
COPY services/web/package.json services/web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY services/web ./
RUN npm run build

FROM rust:1.95-bookworm AS rust
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/* \
    && cargo install --locked --version 0.1.78 cargo-chef
WORKDIR /src

FROM rust AS recipe
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM rust AS build
COPY --from=recipe /src/recipe.json recipe.json
RUN cargo chef cook --release --locked --recipe-path recipe.json
COPY . .
COPY --from=web /src/services/web/dist services/web/dist
RUN cargo build --release --locked --package dvt-standalone \
         --package dvt-gateway --package dvt-projector --package dvt-artifact --package dvt-executor \
    && mkdir -p /out/repositories \
    && for name in dvt dvt-gateway dvt-projector dvt-artifact dvt-executor; do \
         strip -o "/out/$name" "target/release/$name"; \
       done

FROM debian:bookworm-slim AS runtime
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dvt
USER 10001:10001
ENV ADMIN_ADDR=0.0.0.0:9090 LOG_FORMAT=json
EXPOSE 9090
STOPSIGNAL SIGTERM
# The image has no HTTP client; bash is one.
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/9090 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '^HTTP/1.. 200 ' <&3"]

FROM runtime AS gateway
COPY --from=build /out/dvt-gateway /usr/local/bin/
ENV LISTEN_ADDR=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/dvt-gateway"]

FROM runtime AS projector
COPY --from=build /out/dvt-projector /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/dvt-projector"]

FROM runtime AS artifact
COPY --from=build /out/dvt-artifact /usr/local/bin/
# A volume that is mounted here takes the folder's owner over.
COPY --from=build --chown=10001:10001 /out/repositories /var/lib/dvt/repositories
ENV GIT_REPOSITORIES=/var/lib/dvt/repositories
VOLUME ["/var/lib/dvt/repositories"]
ENTRYPOINT ["/usr/local/bin/dvt-artifact"]

FROM runtime AS executor
COPY --from=build /out/dvt-executor /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/dvt-executor"]

FROM runtime AS dvt
COPY --from=build /out/dvt /usr/local/bin/
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/dvt"]
