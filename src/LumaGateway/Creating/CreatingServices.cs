namespace LumaGateway.Creating;

/// <summary>Registers creates and deletes in the gateway's own format.</summary>
internal static class CreatingServices
{
    public static IServiceCollection AddCreating(this IServiceCollection services)
    {
        services.AddSingleton<GenerationCreator>();
        services.AddSingleton<CreatePipeline>();
        services.AddSingleton<GenerationDeleter>();

        return services;
    }
}
