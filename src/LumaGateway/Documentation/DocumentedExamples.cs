namespace LumaGateway.Documentation;

/// <summary>Endpoint metadata: the examples of the successful response. The names are the constants of this class.</summary>
/// <param name="Names">The names in <c>components/examples</c> of the OpenAPI document.</param>
internal sealed record DocumentedExamples(params string[] Names)
{
    public const string Completed = "completed";
    public const string Processing = "processing";
    public const string Failed = "failed";
    public const string Batch = "batch";
    public const string Event = "event";
    public const string Create = "create";
    public const string Jobs = "jobs";
    public const string Ticket = "ticket";
}
