using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using LumaGateway.Problems;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>What a request with an <c>Idempotency-Key</c> got.</summary>
internal enum Reply
{
    /// <summary>200 that is no replay: this request was sent to the upstream.</summary>
    Sent,

    /// <summary>The recorded response.</summary>
    Replayed,

    /// <summary>409 <c>create_in_progress</c> with <c>Retry-After</c>.</summary>
    Running,

    /// <summary>409 <c>outcome_unknown</c>.</summary>
    Unknown,

    /// <summary>A 5xx problem of the gateway's table, <c>internal_error</c> excepted.</summary>
    Refused,

    /// <summary>None: the connection was refused or broke.</summary>
    None,

    /// <summary>Anything else.</summary>
    Wrong,
}

/// <summary>What the test did to the record of a key.</summary>
internal enum RecordLoss
{
    None,

    /// <summary>It was deleted while its create ran.</summary>
    WhileRunning,

    /// <summary>It was deleted while its create ran, and the create was repeated meanwhile.</summary>
    WhileRunningWithRival,

    /// <summary>It was deleted after its create had ended.</summary>
    AfterItsEnd,
}

/// <summary>One create, which extends a generation of its own, and all that came of it. Its key is that generation's id. Thread-safe.</summary>
internal sealed class KeyedCreate(string id)
{
    private static readonly Dictionary<string, int> Codes = ProblemKinds.All.ToDictionary(kind => kind.Code, kind => kind.Status);

    private readonly ConcurrentQueue<Reply> _replies = new();
    private readonly ConcurrentDictionary<string, bool> _generations = new();

    public string Id => id;

    public RecordLoss Loss { get; set; }

    public IReadOnlyCollection<Reply> Replies => _replies;

    /// <summary>How many different generations its responses named.</summary>
    public int Generations => _generations.Count;

    /// <summary>The most POSTs that may have reached the upstream, losses by eviction left out.</summary>
    public int MostPosts => Loss is RecordLoss.AfterItsEnd or RecordLoss.WhileRunningWithRival ? 2 : 1;

    public bool HasOutcome => _replies.Any(reply => reply is Reply.Sent or Reply.Replayed);

    public Reply Add(Reply reply)
    {
        _replies.Enqueue(reply);
        return reply;
    }

    public Reply Add(HttpResponseMessage response, string body) => Add(Read(response, body));

    private Reply Read(HttpResponseMessage response, string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            if (response.StatusCode is HttpStatusCode.OK)
            {
                _generations[json.RootElement.GetProperty("id").GetString()!] = true;
                return response.Headers.Contains("Idempotency-Replayed") ? Reply.Replayed : Reply.Sent;
            }

            var status = (int)response.StatusCode;
            var code = json.RootElement.GetProperty("code").GetString()!;
            return (status, code) switch
            {
                (409, "create_in_progress") when response.Headers.RetryAfter is not null => Reply.Running,
                (409, "outcome_unknown") => Reply.Unknown,
                ( >= 500, not "internal_error") when Codes.GetValueOrDefault(code) == status => Reply.Refused,
                _ => Reply.Wrong,
            };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return Reply.Wrong;
        }
    }
}
