using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>Registers the upstream's callbacks, and where there are any, what hides their secret.</summary>
internal static class CallbackServices
{
    public static IServiceCollection AddCallbacks(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<CallbackOptions, CallbackOptionsRules>().BindConfiguration(CallbackOptions.Section);
        services.AddSingleton<CallbackSecrets>();
        services.Replace(ServiceDescriptor.Singleton<IHttpContextFactory>(provider =>
        {
            // The framework reuses contexts only with its own factory: without callbacks it stays.
            var usual = new DefaultHttpContextFactory(provider);
            return provider.GetRequiredService<IOptions<CallbackOptions>>().Value.SecretFile.Length > 0 ? new CallbackPaths(usual) : usual;
        }));

        return services;
    }
}
