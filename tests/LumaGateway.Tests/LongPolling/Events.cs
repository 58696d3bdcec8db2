using System.Text.Json;

namespace LumaGateway.Tests.LongPolling;

/// <summary>One server-sent event, as an EventSource reads it.</summary>
internal sealed record SentEvent(string Kind, string? Id, string? Data)
{
    public string? State => Data is null ? null : JsonDocument.Parse(Data).RootElement.GetProperty("state").GetString();

    public string? Subject => Data is null ? null : JsonDocument.Parse(Data).RootElement.GetProperty("id").GetString();
}

/// <summary>Reads a stream of server-sent events. A comment is an event of the kind <c>comment</c>, a <c>retry</c> field one of the kind <c>retry</c>.</summary>
internal sealed class Events(HttpResponseMessage response) : IDisposable
{
    private StreamReader? _reader;

    public static async Task<Events> OpenAsync(HttpClient client, string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return new Events(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken));
    }

    public HttpResponseMessage Response => response;

    /// <summary>The next event that is not a comment; null at the end of the stream.</summary>
    public async Task<SentEvent?> NextAsync()
    {
        while (true)
        {
            var next = await NextOfAnyKindAsync();
            if (next?.Kind is not "comment")
            {
                return next;
            }
        }
    }

    public async Task<SentEvent?> NextOfAnyKindAsync()
    {
        _reader ??= new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        var (kind, id, data) = (default(string), default(string), default(string));
        while (await _reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            switch (line.Split(':', 2))
            {
                case [""]:
                    return new SentEvent(kind ?? "message", id, data);
                case ["", ..]:
                    kind = "comment";
                    break;
                case ["event", var value]:
                    kind = value[1..];
                    break;
                case ["id", var value]:
                    id = value[1..];
                    break;
                case ["data", var value]:
                    data = value[1..];
                    break;
                case ["retry", var value]:
                    (kind, data) = ("retry", value[1..]);
                    break;
                default:
                    Assert.Fail($"Not a line of an event stream: {line}");
                    break;
            }
        }

        return null;
    }

    public async Task<List<SentEvent>> RestAsync()
    {
        var rest = new List<SentEvent>();
        while (await NextAsync() is { } next)
        {
            rest.Add(next);
        }

        return rest;
    }

    public void Dispose()
    {
        _reader?.Dispose();
        response.Dispose();
    }
}
