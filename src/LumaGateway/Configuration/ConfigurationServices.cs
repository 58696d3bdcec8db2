namespace LumaGateway.Configuration;

/// <summary>Registers the check of all settings. To be called before any slice registers its own: it runs first at the start.</summary>
internal static class ConfigurationServices
{
    public static IServiceCollection AddSettingsCheck(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<GivenSettings, SettingsRules>();
        return services;
    }
}
