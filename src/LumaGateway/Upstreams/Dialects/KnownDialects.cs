namespace LumaGateway.Upstreams.Dialects;

/// <summary>The dialects that <c>Luma:Dialect</c> can name. The only place that lists them: the gateway and the tests read it.</summary>
internal static class KnownDialects
{
    /// <param name="upstream">The upstream's API root. Read with the first response; null if there is none.</param>
    public static IReadOnlyList<IUpstreamDialect> Create(Lazy<Uri>? upstream = null) =>
    [
        new RelayDialect(upstream),
        new DreamMachineDialect(),
        new AgentsDialect(),
        new NewApiDialect(upstream),
        new PiApiDialect(upstream),
    ];
}
