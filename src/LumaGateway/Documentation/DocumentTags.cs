namespace LumaGateway.Documentation;

/// <summary>The groups of operations in the OpenAPI document.</summary>
internal static class DocumentTags
{
    public const string Generations = "Generations";
    public const string Waiting = "Waiting";
    public const string Assets = "Assets";
    public const string RawApi = "Raw API";
    public const string Operations = "Operations";

    /// <summary>Name and description, in the order of the document.</summary>
    public static IReadOnlyList<(string Name, string Description)> All { get; } =
    [
        (Generations, "Create, read and delete generations, in one format for every upstream. Authorize with your client key, send the example of the create as it is, and read the generation by its `id`. `Prefer: wait=50` waits until it is finished; *Assets* has its files."),
        (Waiting, "Follow generations until they are finished, as server-sent events. A single read can wait too: `Prefer: wait=N`."),
        (Assets, "Download the files of a generation from addresses that stay valid when the upstream's links expire. `Content-Type` is the file's own type, which can be another one than the operation names. A conditional request can get 304. With `Assets:Mode` `Redirect`, the response is 307 with the upstream's link in `Location`."),
        (RawApi, "The upstream's own API. The gateway forwards the request with its own token, and returns bodies and errors of the upstream unchanged. Exceptions: 401, 402 and 403 of the upstream become a 502 problem of the gateway."),
        (Operations, "Purge the cache, and receive the upstream's callbacks."),
    ];
}
