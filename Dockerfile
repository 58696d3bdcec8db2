# syntax=docker/dockerfile:1
# docker build -t luma-gateway .                      the gateway
# docker build -t luma-sandbox --target sandbox .     the emulated upstream, for the demo in infra/compose.yaml
FROM mcr.microsoft.com/dotnet/sdk:10.0.401-noble AS build
WORKDIR /source

# Restored apart from the sources, so that a change of code does not fetch the packages again.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/LumaGateway/LumaGateway.csproj src/LumaGateway/packages.lock.json src/LumaGateway/
RUN dotnet restore src/LumaGateway --locked-mode

COPY appsettings.json appsettings.Development.json ./
COPY src/LumaGateway/ src/LumaGateway/
RUN dotnet publish src/LumaGateway --no-restore --configuration Release --output /app

FROM build AS build-sandbox
COPY src/LumaGateway.Sandbox/ src/LumaGateway.Sandbox/
RUN dotnet restore src/LumaGateway.Sandbox --locked-mode
RUN dotnet publish src/LumaGateway.Sandbox --no-restore --configuration Release --output /sandbox

# Chiselled: no shell, no package manager, an unprivileged user (APP_UID).
FROM mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled AS runtime
WORKDIR /app
# No debugger, profiler or dump of a process that holds the token; it needs no writable folder either. 1 lets one look inside.
ENV DOTNET_EnableDiagnostics=0
USER $APP_UID

FROM runtime AS sandbox
COPY --from=build-sandbox /sandbox ./
EXPOSE 8081
ENTRYPOINT ["dotnet", "LumaGateway.Sandbox.dll", "--alone", "--urls", "http://*:8081"]

FROM runtime AS gateway
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="LumaGateway" \
      org.opencontainers.image.description="The one door between internal services and Luma's video API" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /app ./
ENV ASPNETCORE_HTTP_PORTS=8080
# Hits are answered on the thread that hears of the socket: src/LumaGateway/Features/Server/SocketSetup.cs.
ENV DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1
EXPOSE 8080
# The process asks itself: there is no curl. Kubernetes asks over HTTP and does not use it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["dotnet", "LumaGateway.dll", "health"]
ENTRYPOINT ["dotnet", "LumaGateway.dll"]
