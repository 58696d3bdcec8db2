using System.Globalization;
using System.Net;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A caller that waits for the end of one generation, like a browser's EventSource or a loop of <c>Prefer: wait</c>. It records error responses and streams that
/// end without <c>retry</c>. For one wait.
/// </summary>
internal sealed class WaitingCaller(HttpClient client, string id)
{
    /// <summary>The default reconnection delay.</summary>
    private static readonly TimeSpan DefaultRetry = TimeSpan.FromSeconds(1);

    private string? _lastEventId;

    /// <summary>How often a stopping replica ended the wait or stream, and the caller reconnected.</summary>
    public int Reconnects { get; private set; }

    /// <summary>Unexpected ends of waits and streams.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>Reads event streams until the generation is completed.</summary>
    public async Task StreamUntilCompletedAsync()
    {
        while (await StreamAsync() is (IsCompleted: false, var retry))
        {
            Reconnects += retry is null ? 0 : 1;
            await Wait.ForAsync(retry ?? DefaultRetry);
        }
    }

    /// <summary>Sends long polls until the generation is completed.</summary>
    public async Task PollUntilCompletedAsync()
    {
        while (true)
        {
            var start = TimeProvider.System.GetTimestamp();
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{id}");
            request.Headers.TryAddWithoutValidation("Prefer", "wait=30");
            try
            {
                using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
                var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if (body.Contains("\"state\":\"completed\"", StringComparison.Ordinal))
                {
                    return;
                }

                if (response.StatusCode is not HttpStatusCode.OK)
                {
                    Failures.Add(((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
                }
                else if (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(29))
                {
                    Reconnects++;
                }
            }
            catch (HttpRequestException exception)
            {
                Failures.Add(exception.Message);
            }
        }
    }

    /// <summary>Reads one stream. Returns whether the generation is completed, else the value of <c>retry</c>.</summary>
    private async Task<(bool IsCompleted, TimeSpan? Retry)> StreamAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{id}/events");
        if (_lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", _lastEventId);
        }

        TimeSpan? retry = null;
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            if (response.StatusCode is HttpStatusCode.NoContent)
            {
                return (true, null);
            }

            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
            while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            {
                if (line.StartsWith("retry: ", StringComparison.Ordinal))
                {
                    retry = TimeSpan.FromMilliseconds(int.Parse(line["retry: ".Length..], CultureInfo.InvariantCulture));
                }
                else if (line.StartsWith("id: ", StringComparison.Ordinal))
                {
                    _lastEventId = line["id: ".Length..];
                }
                else if (line.Contains("\"state\":\"completed\"", StringComparison.Ordinal))
                {
                    return (true, null);
                }
            }

            if (retry is null)
            {
                Failures.Add($"A stream with status {(int)response.StatusCode} ended without retry.");
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            Failures.Add(exception.Message);
        }

        return (false, retry);
    }
}
