using LumaGateway.Sandbox.Generations;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>Maps every dialect at its root. Unknown paths are a 404 in the dialect's error shape.</summary>
internal static class DialectEndpoints
{
    public static void MapDialects(this WebApplication app)
    {
        var services = app.Services;
        foreach (var dialect in services.GetRequiredService<DialectSet>().All)
        {
            var operations = new DialectOperations(
                dialect,
                services.GetRequiredService<GenerationStore>(),
                services.GetRequiredService<CreateLimits>(),
                services.GetRequiredService<CallbackSender>(),
                services.GetRequiredService<TimeProvider>());
            var routes = app.MapGroup(dialect.Root);

            dialect.Map(routes, operations);
            routes.Map("/{**path}", () => operations.Error(StatusCodes.Status404NotFound, "Not Found"));
        }
    }
}
