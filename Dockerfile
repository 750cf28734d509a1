# Two stages: Swift's toolchain builds, Debian with the C libraries runs.
FROM swift:6.3-bookworm AS build
WORKDIR /src
COPY scripts/bootstrap scripts/bootstrap
RUN apt-get update && scripts/bootstrap && rm -rf /var/lib/apt/lists/*
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
COPY scripts scripts
RUN scripts/build

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      librdkafka1 libpq5 libcurl4 libxml2 libmicrohttpd12 libpcre2-8-0 zlib1g libzstd1 libyaml-0-2 libsimdjson14 \
      ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/sluice sluice
COPY --from=build /src/build/sluice /usr/local/bin/sluice
USER sluice
EXPOSE 8083
ENTRYPOINT ["sluice"]
CMD ["worker", "--config-dir", "/etc/sluice", "--properties", "/etc/sluice/worker.properties"]
