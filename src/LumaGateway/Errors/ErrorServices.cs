namespace LumaGateway.Errors;

/// <summary>Registers what turns every refusal into a problem.</summary>
internal static class ErrorServices
{
    public static IServiceCollection AddGatewayErrors(this IServiceCollection services)
    {
        services.AddSingleton<IProblemDetailsWriter, ProblemWriter>(); // asked before the framework's own
        services.AddProblemDetails();
        services.AddExceptionHandler<FaultHandler>();
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = false);

        return services;
    }
}
