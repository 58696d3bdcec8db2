using System.Net;
using LumaGateway.Tests.LongPolling;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Caching;

/// <summary>Responses requested before a purge are not stored after it. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class InvalidationTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Luma:Dialect", "dream-machine").With("Luma:Retries", "0").With("Waiting:ListFrom", "2");

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_list_requested_before_a_purge_and_received_after_it_is_not_stored()
    {
        var isDeleted = false;
        var requested = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var list = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _gateway.Upstream.Always(async (request, token) =>
        {
            if (request.RequestUri!.Query.Length > 0)
            {
                var listed = isDeleted ? [Finished("g2")] : new[] { Finished("g1"), Finished("g2") };
                requested.TrySetResult();
                await list.Task.WaitAsync(token);
                return ScriptedUpstream.Json($$"""{"generations":[{{string.Join(',', listed)}}],"has_more":false,"count":{{listed.Length}},"limit":100,"offset":0}""");
            }

            return isDeleted
                ? ScriptedUpstream.Json("""{"detail":"Not Found"}""", HttpStatusCode.NotFound)
                : ScriptedUpstream.Json($$"""{"id":"{{request.RequestUri.Segments[^1]}}","state":"dreaming"}""");
        });
        using var caller = _gateway.CreateCaller();
        using var one = await Events.OpenAsync(caller, "/generations/g1/events");
        using var two = await Events.OpenAsync(caller, "/generations/g2/events");
        await _gateway.Clock.UntilAsync(() => requested.Task.IsCompleted);
        isDeleted = true;
        using var purged = await caller.DeleteAsync(new Uri("/generations/g1/cache", UriKind.Relative), TestContext.Current.CancellationToken);
        list.SetResult();
        await _gateway.Clock.WaitUntilIdleAsync();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(3));

        using var after = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        await after.ProblemAsync(404, "generation_not_found");
    }

    private static string Finished(string id) => $$$"""{"id":"{{{id}}}","state":"completed","assets":{"video":"https://cdn.test/{{{id}}}.mp4"}}""";
}
