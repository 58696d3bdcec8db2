using LumaGateway.Telemetry;

namespace LumaGateway.Callbacks;

/// <summary>Registers the upstream's callbacks.</summary>
internal static class CallbackServices
{
    public static IServiceCollection AddCallbacks(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<CallbackOptions, CallbackOptionsRules>().BindConfiguration(CallbackOptions.Section);
        services.AddSingleton<CallbackSecrets>();
        services.AddSingleton<CallbackAddresses>();
        services.AddHostedService(provider => provider.GetRequiredService<CallbackSecrets>());
        services.AddSingleton<IRequestSecret, HiddenCallbackSecret>();

        return services;
    }
}
