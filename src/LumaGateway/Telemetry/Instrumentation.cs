using System.Diagnostics;

namespace LumaGateway.Telemetry;

/// <summary>The one activity source, and the name that it shares with the one meter.</summary>
internal static class Instrumentation
{
    public const string Name = "LumaGateway";

    public static readonly ActivitySource Activities = new(Name);

    /// <summary>The span at hand, where somebody gets it: attributes cost nothing where nobody does.</summary>
    public static Activity? Current => Activities.HasListeners() && Activity.Current is { Recorded: true } span ? span : null;

    /// <summary>The version that was built, without the commit.</summary>
    public static readonly string Version = typeof(Instrumentation).Assembly.GetName().Version!.ToString(3);
}
