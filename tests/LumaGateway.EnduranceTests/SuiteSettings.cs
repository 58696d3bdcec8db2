namespace LumaGateway.EnduranceTests;

/// <summary>The settings that every gateway of this suite starts with, unless its test sets them itself.</summary>
internal static class SuiteSettings
{
    /// <summary>None: the suite measures the gateway with the defaults that it ships with.</summary>
    public static IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string>();

    /// <summary>None: balancers are measured with the files of infra/ as they are.</summary>
    public static IReadOnlyDictionary<string, string> BalancerSettings { get; } = new Dictionary<string, string>();
}
