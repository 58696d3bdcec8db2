namespace LumaGateway.Sandbox.Dialects;

/// <summary>All dialects, found by name or by the path of a request.</summary>
internal sealed class DialectSet(IEnumerable<ISandboxDialect> dialects)
{
    public IReadOnlyList<ISandboxDialect> All { get; } = [.. dialects];

    public ISandboxDialect Named(string name) => All.Single(dialect => dialect.Name == name);

    /// <summary>The dialect whose root contains the path; null if none does.</summary>
    public ISandboxDialect? Of(PathString path) => All.FirstOrDefault(dialect => path.StartsWithSegments(dialect.Root));
}
