namespace LumaGateway.Configuration;

/// <summary>Registers the validation of all settings. Call it before other registrations, so that it runs first at start-up.</summary>
internal static class ConfigurationServices
{
    public static IServiceCollection AddSettingsCheck(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<AllSettings, SettingsRules>();
        return services;
    }
}
