using System.Net;
using System.Text.Json;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Callers that ask: at once, waiting, for a stream, for several. The nth of each always asks for the same kind of id.</summary>
internal sealed class Readers(Exchange exchange, Creators creators, string name)
{
    private static readonly TimeSpan StreamFor = TimeSpan.FromSeconds(10);

    public Task<HttpResponseMessage> ReadAsync(int number)
    {
        var id = IdOf(number);
        return exchange.AskAsync("read", id, $"/generations/{id}", number);
    }

    public Task<HttpResponseMessage> WaitAsync(int number)
    {
        var id = number % 4 == 0 ? creators.Latest(number) ?? Ids.Running(exchange.Now, number) : Ids.Running(exchange.Now, number);
        return exchange.AskAsync("wait", id, $"/generations/{id}", number, "wait=6");
    }

    public async Task<HttpResponseMessage> ListAsync(int number)
    {
        var ids = Enumerable.Range(number, 5).Select(IdOf).Distinct().ToArray();
        var (replica, process, address) = exchange.Choose(number);
        var begun = exchange.Now;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, $"/generations?ids={string.Join(',', ids)}"));
        var response = await exchange.SendAsync(request);
        if (response.StatusCode is HttpStatusCode.OK)
        {
            using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            foreach (var item in body.RootElement.GetProperty("generations").EnumerateArray().Zip(ids))
            {
                exchange.Witness.Saw(SeenOf(item.First, item.Second, process, begun));
            }
        }

        return response;
    }

    /// <summary>Follows one generation to its end, or for as long as anybody has time.</summary>
    public async Task<HttpResponseMessage> StreamAsync(int number)
    {
        var id = number % 5 == 0 ? Ids.Treasures[number % Ids.Treasures.Count] : Ids.Running(exchange.Now, number);
        var (_, process, address) = exchange.Choose(number);
        var begun = exchange.Now;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, $"/generations/{id}/events"));
        using var timeUp = new CancellationTokenSource(StreamFor, TimeProvider.System);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken, timeUp.Token);
        var response = await exchange.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        try
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(over.Token));
            if (response.StatusCode is not HttpStatusCode.OK)
            {
                var problem = await reader.ReadToEndAsync(over.Token);
                exchange.Witness.Saw(new Seen(process, id, begun, exchange.Now, (int)response.StatusCode, problem, response.Content.Headers.ContentType?.MediaType, null) { Route = "stream" });
                return response;
            }

            await FollowAsync(reader, id, process, begun, over.Token);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or OperationCanceledException)
        {
            // The replica died, or nobody has more time.
        }

        return response;
    }

    private async Task FollowAsync(StreamReader reader, string id, string process, TimeSpan begun, CancellationToken cancellationToken)
    {
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                exchange.Witness.Saw(new Seen(process, id, begun, exchange.Now, 200, line[6..], "application/json", null) { Route = "stream" });
                begun = exchange.Now;
            }
        }
    }

    private Seen SeenOf(JsonElement item, string id, string process, TimeSpan begun) => item.TryGetProperty("problem", out var problem)
        ? new Seen(process, id, begun, exchange.Now, problem.GetProperty("status").GetInt32(), problem.GetRawText(), "application/problem+json", null) { Route = "list" }
        : new Seen(process, id, begun, exchange.Now, 200, item.GetRawText(), "application/json", null) { Route = "list" };

    private string IdOf(int number) => (number % 20) switch
    {
        < 7 => Ids.Treasures[number * 7 % Ids.Treasures.Count],
        < 13 => Ids.Running(exchange.Now, number / 20),
        13 => Ids.New(name, number),
        14 => Ids.Unknown(number / 20),
        15 => Ids.Endless(number / 20),
        _ => creators.Latest(number / 20) ?? Ids.Running(exchange.Now, number),
    };
}
