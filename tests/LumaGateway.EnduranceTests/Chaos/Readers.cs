using System.Net;
using System.Text.Json;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Callers that read: a generation, a long poll, an event stream, a list. The request number determines the kind of id.</summary>
internal sealed class Readers(RequestSender sender, Creators creators, string name)
{
    private static readonly TimeSpan StreamTime = TimeSpan.FromSeconds(10);

    public Task<HttpResponseMessage> ReadAsync(int number)
    {
        var id = IdOf(number);
        return sender.ReadAsync("read", id, $"/generations/{id}", number);
    }

    public Task<HttpResponseMessage> WaitAsync(int number)
    {
        var id = number % 4 == 0 ? creators.Latest(number) ?? Ids.Running(sender.Now, number) : Ids.Running(sender.Now, number);
        return sender.ReadAsync("wait", id, $"/generations/{id}", number, "wait=6");
    }

    public async Task<HttpResponseMessage> ListAsync(int number)
    {
        var ids = Enumerable.Range(number, 5).Select(IdOf).Distinct().ToArray();
        var (replica, process, address) = sender.ChooseReplica(number);
        var started = sender.Now;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, $"/generations?ids={string.Join(',', ids)}"));
        var response = await sender.SendAsync(request);
        if (response.StatusCode is HttpStatusCode.OK)
        {
            using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            foreach (var item in body.RootElement.GetProperty("generations").EnumerateArray().Zip(ids))
            {
                sender.Checker.Check(ObservedOf(item.First, item.Second, process, started));
            }
        }

        return response;
    }

    /// <summary>Reads one event stream to its end, or for 10 s.</summary>
    public async Task<HttpResponseMessage> StreamAsync(int number)
    {
        var id = number % 5 == 0 ? Ids.Cached[number % Ids.Cached.Count] : Ids.Running(sender.Now, number);
        var (_, process, address) = sender.ChooseReplica(number);
        var started = sender.Now;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, $"/generations/{id}/events"));
        using var timeUp = new CancellationTokenSource(StreamTime, TimeProvider.System);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken, timeUp.Token);
        var response = await sender.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        try
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellation.Token));
            if (response.StatusCode is not HttpStatusCode.OK)
            {
                var problem = await reader.ReadToEndAsync(cancellation.Token);
                sender.Checker.Check(new ObservedResponse(process, id, started, sender.Now, (int)response.StatusCode, problem, response.Content.Headers.ContentType?.MediaType, null) { Route = "stream" });
                return response;
            }

            await ReadEventsAsync(reader, id, process, started, cancellation.Token);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or OperationCanceledException)
        {
            // The replica ended, or the time is over.
        }

        return response;
    }

    private async Task ReadEventsAsync(StreamReader reader, string id, string process, TimeSpan started, CancellationToken cancellationToken)
    {
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                sender.Checker.Check(new ObservedResponse(process, id, started, sender.Now, 200, line[6..], "application/json", null) { Route = "stream" });
                started = sender.Now;
            }
        }
    }

    private ObservedResponse ObservedOf(JsonElement item, string id, string process, TimeSpan started) => item.GetProperty("problem") is { ValueKind: JsonValueKind.Object } problem
        ? new ObservedResponse(process, id, started, sender.Now, problem.GetProperty("status").GetInt32(), problem.GetRawText(), "application/problem+json", null) { Route = "list" }
        : new ObservedResponse(process, id, started, sender.Now, 200, item.GetProperty("generation").GetRawText(), "application/json", null) { Route = "list" };

    private string IdOf(int number) => (number % 20) switch
    {
        < 7 => Ids.Cached[number * 7 % Ids.Cached.Count],
        < 13 => Ids.Running(sender.Now, number / 20),
        13 => Ids.New(name, number),
        14 => Ids.Unknown(number / 20),
        15 => Ids.Processing(number / 20),
        _ => creators.Latest(number / 20) ?? Ids.Running(sender.Now, number),
    };
}
