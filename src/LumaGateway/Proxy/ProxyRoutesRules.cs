using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Proxy;

/// <summary>The settings of YARP's own section, <c>ReverseProxy</c>, as they stand: it reads them itself.</summary>
internal sealed class ProxyRoutes
{
    public IConfigurationSection? Settings { get; set; }
}

/// <summary>
/// Whether YARP can use its section. Asked before YARP is, which would end the start with an exception of its own, and with one fault of many. In a
/// container of its own, as what cannot be read would be logged with a stack trace.
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
                if (RoutePermission.FaultOf(route) is { } fault)
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
            return ValidateOptionsResult.Fail($"{Unreadable(section, exception.Message)} cannot be read: its value is not of the right kind.");
        }
    }

    private static void AddFaults(ValidateOptionsResultBuilder faults, string key, ValueTask<IList<Exception>> found)
    {
        // Nothing in it waits: YARP's own start blocks on it likewise.
        foreach (var fault in found.AsTask().GetAwaiter().GetResult())
        {
            faults.AddError($"{key}: {fault.Message}");
        }
    }

    /// <summary>The exception quotes the value, and does not say whose it is.</summary>
    private static string Unreadable(IConfigurationSection section, string message)
    {
        var keys = section.AsEnumerable()
            .Where(setting => setting.Value is { Length: > 0 } value && message.Contains($"'{value}'", StringComparison.Ordinal))
            .Select(setting => setting.Key)
            .ToList();
        return keys.Count > 0 ? string.Join(" or ", keys) : section.Path;
    }
}
