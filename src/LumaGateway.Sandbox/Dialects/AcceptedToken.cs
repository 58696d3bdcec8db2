namespace LumaGateway.Sandbox.Dialects;

/// <summary>The only token that the dialects accept. It can be changed. Thread-safe.</summary>
internal sealed class AcceptedToken(SandboxOptions options)
{
    private volatile string _value = options.Token;

    public void Change(string value) => _value = value;

    public bool IsIn(HttpRequest request, ISandboxDialect dialect) =>
        request.Headers[dialect.TokenHeader].ToString() == (dialect.TokenHeader is "Authorization" ? $"Bearer {_value}" : _value);
}
