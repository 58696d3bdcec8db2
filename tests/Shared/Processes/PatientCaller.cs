using System.Globalization;
using System.Net;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// A caller that wants to know when one generation is finished, as a browser's EventSource or a loop of <c>Prefer: wait</c> does. It is dropped when
/// it is answered anything but news, or when a stream ends without a word. For one wait.
/// </summary>
internal sealed class PatientCaller(HttpClient client, string id)
{
    /// <summary>What an EventSource waits before it comes again, where nobody told it otherwise.</summary>
    private static readonly TimeSpan UsualRetry = TimeSpan.FromSeconds(1);

    private string? _lastEventId;

    /// <summary>How often it was sent on, politely, and came again.</summary>
    public int SentOn { get; private set; }

    /// <summary>How often a stream or a wait ended as none should; each with what was seen.</summary>
    public List<string> Drops { get; } = [];

    /// <summary>Follows the events until one says that it is finished.</summary>
    public async Task FollowAsync()
    {
        while (await StreamAsync() is (IsOver: false, var retry))
        {
            SentOn += retry is null ? 0 : 1;
            await Wait.ForAsync(retry ?? UsualRetry);
        }
    }

    /// <summary>Asks, again and again, to be answered when it is finished.</summary>
    public async Task AskAsync()
    {
        while (true)
        {
            var begun = TimeProvider.System.GetTimestamp();
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{id}");
            request.Headers.TryAddWithoutValidation("Prefer", "wait=30");
            try
            {
                using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
                var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if (body.Contains("\"state\":\"completed\"", StringComparison.Ordinal))
                {
                    return;
                }

                if (answer.StatusCode is not HttpStatusCode.OK)
                {
                    Drops.Add(((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture));
                }
                else if (TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(29))
                {
                    SentOn++;
                }
            }
            catch (HttpRequestException exception)
            {
                Drops.Add(exception.Message);
            }
        }
    }

    /// <summary>One stream: whether it told of the end, and otherwise when to come again, if it said so.</summary>
    private async Task<(bool IsOver, TimeSpan? Retry)> StreamAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/generations/{id}/events");
        if (_lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", _lastEventId);
        }

        TimeSpan? retry = null;
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            if (answer.StatusCode is HttpStatusCode.NoContent)
            {
                return (true, null);
            }

            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
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
                Drops.Add($"A stream answered with {(int)answer.StatusCode} ended without a word.");
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            Drops.Add(exception.Message);
        }

        return (false, retry);
    }
}
