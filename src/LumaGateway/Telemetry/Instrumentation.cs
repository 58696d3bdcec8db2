using System.Diagnostics;

namespace LumaGateway.Telemetry;

/// <summary>The activity source and the name of the meter.</summary>
internal static class Instrumentation
{
    public const string Name = "LumaGateway";

    public static readonly ActivitySource Activities = new(Name);

    /// <summary>The current span if it is recorded, else null: attributes are only computed for recorded spans.</summary>
    public static Activity? Current => Activities.HasListeners() && Activity.Current is { Recorded: true } span ? span : null;

    /// <summary>The attribute of every measurement of an upstream account.</summary>
    public static KeyValuePair<string, object?> AccountTag(string account) => new("luma_gateway.upstream.account", account);

    /// <summary>The version without the commit.</summary>
    public static readonly string Version = typeof(Instrumentation).Assembly.GetName().Version!.ToString(3);
}
