using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using LumaGateway.Problems;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>The result of a request with an <c>Idempotency-Key</c>.</summary>
internal enum CreateResult
{
    /// <summary>200 without <c>Idempotency-Replayed</c>: this request was sent to the upstream.</summary>
    Sent,

    /// <summary>The recorded response.</summary>
    Replayed,

    /// <summary>409 <c>create_in_progress</c> with <c>Retry-After</c>.</summary>
    InProgress,

    /// <summary>409 <c>outcome_unknown</c>.</summary>
    OutcomeUnknown,

    /// <summary>A 5xx problem of the gateway, except <c>internal_error</c>.</summary>
    GatewayError,

    /// <summary>No response: the connection was refused or broken.</summary>
    NoResponse,

    /// <summary>Anything else.</summary>
    Unexpected,
}

/// <summary>How the test deleted the record of a key.</summary>
internal enum RecordLoss
{
    None,

    /// <summary>While its create ran.</summary>
    WhileRunning,

    /// <summary>While its create ran, and the create was repeated in the meantime.</summary>
    WhileRunningWithRepetition,

    /// <summary>After its create had ended.</summary>
    AfterCompletion,
}

/// <summary>One create, which extends its own generation, with the results of its requests. Its key is the id of that generation. Thread-safe.</summary>
internal sealed class KeyedCreate(string id)
{
    private static readonly Dictionary<string, int> Codes = ProblemKinds.All.ToDictionary(kind => kind.Code, kind => kind.Status);

    private readonly ConcurrentQueue<CreateResult> _results = new();
    private readonly ConcurrentDictionary<string, bool> _generations = new();

    public string Id => id;

    public RecordLoss Loss { get; set; }

    public IReadOnlyCollection<CreateResult> Results => _results;

    /// <summary>The number of different generations in its responses.</summary>
    public int Generations => _generations.Count;

    /// <summary>The maximum number of upstream POSTs, not counting those after an eviction.</summary>
    public int MaxPosts => Loss is RecordLoss.AfterCompletion or RecordLoss.WhileRunningWithRepetition ? 2 : 1;

    public bool HasOutcome => _results.Any(result => result is CreateResult.Sent or CreateResult.Replayed);

    public CreateResult Add(CreateResult result)
    {
        _results.Enqueue(result);
        return result;
    }

    public CreateResult Add(HttpResponseMessage response, string body) => Add(Classify(response, body));

    private CreateResult Classify(HttpResponseMessage response, string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            if (response.StatusCode is HttpStatusCode.OK)
            {
                _generations[json.RootElement.GetProperty("id").GetString()!] = true;
                return response.Headers.Contains("Idempotency-Replayed") ? CreateResult.Replayed : CreateResult.Sent;
            }

            var status = (int)response.StatusCode;
            var code = json.RootElement.GetProperty("code").GetString()!;
            return (status, code) switch
            {
                (409, "create_in_progress") when response.Headers.RetryAfter is not null => CreateResult.InProgress,
                (409, "outcome_unknown") => CreateResult.OutcomeUnknown,
                ( >= 500, not "internal_error") when Codes.GetValueOrDefault(code) == status => CreateResult.GatewayError,
                _ => CreateResult.Unexpected,
            };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return CreateResult.Unexpected;
        }
    }
}
