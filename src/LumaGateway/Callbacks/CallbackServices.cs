using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>Registers the upstream's callbacks and, if they are configured, the factory that hides their secret.</summary>
internal static class CallbackServices
{
    public static IServiceCollection AddCallbacks(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<CallbackOptions, CallbackOptionsRules>().BindConfiguration(CallbackOptions.Section);
        services.AddSingleton<CallbackSecrets>();
        services.AddHostedService(provider => provider.GetRequiredService<CallbackSecrets>());
        services.Replace(ServiceDescriptor.Singleton<IHttpContextFactory>(provider =>
        {
            // The framework pools HttpContexts only with its own factory, so it is replaced only if there are callbacks.
            var defaultFactory = new DefaultHttpContextFactory(provider);
            return provider.GetRequiredService<IOptions<CallbackOptions>>().Value.SecretFile.Length > 0 ? new CallbackHttpContextFactory(defaultFactory) : defaultFactory;
        }));

        return services;
    }
}
