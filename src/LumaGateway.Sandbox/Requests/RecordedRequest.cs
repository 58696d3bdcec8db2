namespace LumaGateway.Sandbox.Requests;

/// <summary>One request as the upstream received it, with its headers.</summary>
internal sealed record RecordedRequest(
    DateTimeOffset At,
    string Method,
    string Path,
    string Query,
    IReadOnlyDictionary<string, string> Headers);
