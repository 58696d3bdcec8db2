namespace LumaGateway.Sandbox.Requests;

/// <summary>One request as it reached the upstream, headers and all.</summary>
internal sealed record RecordedRequest(
    DateTimeOffset At,
    string Method,
    string Path,
    string Query,
    IReadOnlyDictionary<string, string> Headers);
