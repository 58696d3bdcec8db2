# syntax=docker/dockerfile:1
# Builds the gateway from a clean checkout: docker build -t luma-gateway .
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /source

# Restored apart from the sources, so that a change of code does not fetch the packages again.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/LumaGateway/LumaGateway.csproj src/LumaGateway/packages.lock.json src/LumaGateway/
RUN dotnet restore src/LumaGateway --locked-mode

COPY appsettings*.json ./
COPY src/LumaGateway/ src/LumaGateway/
RUN dotnet publish src/LumaGateway --no-restore --configuration Release --output /app

# Chiselled: no shell, no package manager, an unprivileged user (APP_UID).
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled AS final
WORKDIR /app
COPY --from=build /app ./
ENV ASPNETCORE_HTTP_PORTS=8080
EXPOSE 8080
USER $APP_UID
ENTRYPOINT ["dotnet", "LumaGateway.dll"]
