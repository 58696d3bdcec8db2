# syntax=docker/dockerfile:1
# docker build -t luma-gateway .                      the gateway
# docker build -t luma-sandbox --target sandbox .     the emulated upstream, for the demo in infra/compose.yaml
FROM mcr.microsoft.com/dotnet/sdk:10.0.401-noble@sha256:e70cdb7f80b0348f5cb85f19a8f670fca061f033d57eed12fa003d58b0e06317 AS build
WORKDIR /source

# Needed to link native code.
RUN apt-get update && apt-get install -y --no-install-recommends clang zlib1g-dev && rm -rf /var/lib/apt/lists/*

# A layer of its own, so that a change of code does not restore the packages again.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/LumaGateway/LumaGateway.csproj src/LumaGateway/packages.lock.json src/LumaGateway/packages.native.lock.json src/LumaGateway/
RUN dotnet restore src/LumaGateway --locked-mode --use-current-runtime -p:PublishAot=true

# Native code for the architecture of the build machine. On x64 it requires x86-64-v3 (AVX2): Intel Haswell (2013), AMD Zen
# (2017) and later. On an older processor it exits with a message; IlcInstructionSet in the project sets the requirement.
COPY appsettings.json appsettings.Development.json ./
COPY src/LumaGateway/ src/LumaGateway/
RUN dotnet publish src/LumaGateway --no-restore --use-current-runtime -p:PublishAot=true --configuration Release --output /app

FROM mcr.microsoft.com/dotnet/sdk:10.0.401-noble@sha256:e70cdb7f80b0348f5cb85f19a8f670fca061f033d57eed12fa003d58b0e06317 AS build-sandbox
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig appsettings.json appsettings.Development.json ./
COPY src/LumaGateway/ src/LumaGateway/
COPY src/LumaGateway.Sandbox/ src/LumaGateway.Sandbox/
RUN dotnet restore src/LumaGateway.Sandbox --locked-mode
RUN dotnet publish src/LumaGateway.Sandbox --no-restore --configuration Release --output /sandbox

# Chiselled, as for the gateway: no shell, no package manager, an unprivileged user (APP_UID). Both write to /tmp only, large request
# bodies: with a read-only file system, mount it.
FROM mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled@sha256:9651fa59abcdf177c30392cb44a820605ca5d618429ab37acbf6e7c644510b02 AS sandbox
WORKDIR /app
ENV DOTNET_EnableDiagnostics=0
USER $APP_UID
COPY --from=build-sandbox /sandbox ./
EXPOSE 8081
ENTRYPOINT ["dotnet", "LumaGateway.Sandbox.dll", "--alone", "--urls", "http://*:8081"]

# A native program needs no .NET.
FROM mcr.microsoft.com/dotnet/runtime-deps:10.0.12-noble-chiseled@sha256:dc5cd0c7d0a39b825312b4f0986d99b9adf9b6a3af69bc23cd345c27d9ed916a AS gateway
WORKDIR /app
# No debugger, profiler or dump, because the process has the token in memory. 1 allows them.
ENV DOTNET_EnableDiagnostics=0
USER $APP_UID
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="LumaGateway" \
      org.opencontainers.image.description="A gateway between internal services and Luma's video API" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /app ./
ENV ASPNETCORE_HTTP_PORTS=8080
# Hits are written on the thread that waits for the sockets: src/LumaGateway/Hosting/SocketSetup.cs.
ENV DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1
EXPOSE 8080
# The image has no curl, so the program checks itself. Kubernetes uses HTTP probes instead.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["/app/LumaGateway", "health"]
ENTRYPOINT ["/app/LumaGateway"]
