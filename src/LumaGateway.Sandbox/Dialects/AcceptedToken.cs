namespace LumaGateway.Sandbox.Dialects;

/// <summary>The only bearer token that the dialects accept. It can be changed. Thread-safe.</summary>
internal sealed class AcceptedToken(SandboxOptions options)
{
    private volatile string _value = options.Token;

    public void Change(string value) => _value = value;

    public bool IsIn(HttpRequest request) => request.Headers.Authorization.ToString() == $"Bearer {_value}";
}
