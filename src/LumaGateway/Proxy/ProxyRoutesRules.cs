using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Proxy;

/// <summary>YARP's own section, <c>ReverseProxy</c>, unbound: YARP reads it itself.</summary>
internal sealed class ProxyRoutes
{
    public IConfigurationSection? Settings { get; set; }
}

/// <summary>
/// Validates YARP's section at start-up and reports every fault. YARP itself would throw at the first one. It runs in a separate service container without log
/// providers, because YARP logs a section that it cannot read with a stack trace.
/// </summary>
internal sealed class ProxyRoutesRules : IValidateOptions<ProxyRoutes>
{
    public ValidateOptionsResult Validate(string? name, ProxyRoutes options)
    {
        var section = options.Settings!;
        using var yarp = new ServiceCollection().AddLogging().AddReverseProxy().LoadFromConfig(section).Services.BuildServiceProvider();
        try
        {
            var config = yarp.GetRequiredService<IProxyConfigProvider>().GetConfig();
            var validator = yarp.GetRequiredService<IConfigValidator>();
            var faults = new ValidateOptionsResultBuilder();
            foreach (var route in config.Routes)
            {
                AddFaults(faults, $"{section.Path}:Routes:{route.RouteId}", validator.ValidateRouteAsync(route));
                foreach (var fault in RouteRules.FaultsOf(route))
                {
                    faults.AddError($"{section.Path}:Routes:{route.RouteId}:{fault}");
                }

                if (!config.Clusters.Any(cluster => string.Equals(cluster.ClusterId, route.ClusterId, StringComparison.OrdinalIgnoreCase)))
                {
                    faults.AddError($"names none of {section.Path}:Clusters.", $"{section.Path}:Routes:{route.RouteId}:ClusterId");
                }
            }

            foreach (var cluster in config.Clusters)
            {
                AddFaults(faults, $"{section.Path}:Clusters:{cluster.ClusterId}", validator.ValidateClusterAsync(cluster));
            }

            return faults.Build();
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or InvalidOperationException)
        {
            return ValidateOptionsResult.Fail($"{KeysOf(section, exception.Message)} has a value of the wrong type.");
        }
    }

    private static void AddFaults(ValidateOptionsResultBuilder faults, string key, ValueTask<IList<Exception>> found)
    {
        // The validators complete synchronously; YARP's own start blocks on them too.
        foreach (var fault in found.AsTask().GetAwaiter().GetResult())
        {
            faults.AddError($"{key}: {fault.Message}");
        }
    }

    /// <summary>Finds the keys of the value that the exception quotes: the exception does not name them.</summary>
    private static string KeysOf(IConfigurationSection section, string message)
    {
        var keys = section.AsEnumerable()
            .Where(setting => setting.Value is { Length: > 0 } value && message.Contains($"'{value}'", StringComparison.Ordinal))
            .Select(setting => setting.Key)
            .ToList();
        return keys.Count > 0 ? string.Join(" or ", keys) : section.Path;
    }
}
