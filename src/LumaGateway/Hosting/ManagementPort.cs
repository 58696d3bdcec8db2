using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Closes <c>Management:Port</c> to everything but management endpoints and probes: every other path is a 404 there, Swagger UI's included. The port is
/// the connection's own. To be called after routing and before anything that answers.
/// </summary>
internal static class ManagementPort
{
    private static readonly Endpoint Nothing = new(
        static context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        },
        EndpointMetadataCollection.Empty,
        "Not on the management port");

    public static void UseManagementPort(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is not { } port)
        {
            return;
        }

        app.Use(next => context =>
        {
            if (context.Connection.LocalPort == port && !IsServedHere(context.GetEndpoint()))
            {
                context.SetEndpoint(Nothing);
            }

            return next(context);
        });
    }

    private static bool IsServedHere(Endpoint? endpoint) =>
        endpoint is not null && (endpoint.Metadata.GetMetadata<ManagementOnly>() is not null || endpoint.Metadata.GetMetadata<OnEveryPort>() is not null);
}

/// <summary>Endpoint metadata: served on <c>Management:Port</c> too.</summary>
internal sealed class OnEveryPort;
