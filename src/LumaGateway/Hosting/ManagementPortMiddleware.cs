using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Serves only management endpoints and health checks on <c>Management:Port</c>: every other path responds with 404 there, Swagger UI included. Must be
/// after routing and before every middleware that writes a response.
/// </summary>
internal static class ManagementPortMiddleware
{
    private static readonly Endpoint NotFound = new(
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
            if (context.Connection.LocalPort == port && !IsServedOnManagementPort(context.GetEndpoint()))
            {
                context.SetEndpoint(NotFound);
            }

            return next(context);
        });
    }

    private static bool IsServedOnManagementPort(Endpoint? endpoint) => endpoint is not null
        && (endpoint.Metadata.GetMetadata<ManagementPortMetadata>() is not null || endpoint.Metadata.GetMetadata<AnyPortMetadata>() is not null);
}
