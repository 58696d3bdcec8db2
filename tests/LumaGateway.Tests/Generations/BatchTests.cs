using System.Net;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Generations;

[Collection(RunsAlone.Name)]
public sealed class BatchTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_batch_has_the_order_of_the_query_and_a_problem_for_each_unreadable_id()
    {
        _gateway.With("Luma:Retries", "0").Upstream.Always((request, _) => Task.FromResult(request.RequestUri!.Segments[^1] switch
        {
            "unknown" => ScriptedUpstream.Json("{}", HttpStatusCode.NotFound),
            "broken" => ScriptedUpstream.Json("{}", HttpStatusCode.InternalServerError),
            var id => ScriptedUpstream.Json(Samples.CompletedAs(id)),
        }));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations?ids=b,unknown,a,broken,b,x:y");
        using var again = await caller.SendGetAsync("/generations?ids=a&ids=b");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Header("Content-Type"));
        Assert.Equal("private, no-cache", response.Header("Cache-Control"));
        var items = (await response.JsonAsync()).GetProperty("generations").EnumerateArray().ToList();
        Assert.Equal(["b", "unknown", "a", "broken", "x:y"], items.Select(item => item.GetProperty("id").GetString()));
        Assert.All(items, item => Assert.Equal(["id", "generation", "problem"], item.EnumerateObject().Select(member => member.Name)));
        Assert.All(items, item => Assert.Single(item.EnumerateObject(), member => member.Value.ValueKind is JsonValueKind.Null));
        Assert.Equal(("b", "completed"), (items[0].GetProperty("generation").GetProperty("id").GetString(), items[0].GetProperty("generation").GetProperty("state").GetString()));
        Assert.Equal("generation_not_found", items[1].GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal("upstream_failed", items[3].GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal("invalid_id", items[4].GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal(["a", "b"], (await again.JsonAsync()).GetProperty("generations").EnumerateArray().Select(item => item.GetProperty("id").GetString()));
        Assert.Equal(4, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task An_id_with_characters_that_JSON_escapes_is_written_as_sent()
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations?ids=a%22%5C%3Cb");

        var item = Assert.Single((await response.JsonAsync()).GetProperty("generations").EnumerateArray());
        Assert.Equal("a\"\\<b", item.GetProperty("id").GetString());
    }

    [Fact]
    public async Task At_most_eight_reads_of_a_request_run_in_parallel()
    {
        using var release = new SemaphoreSlim(0);
        _gateway.Upstream.Always(async (request, token) =>
        {
            await release.WaitAsync(token);
            return ScriptedUpstream.Json(Samples.CompletedAs(request.RequestUri!.Segments[^1]));
        });
        using var caller = _gateway.CreateCaller();

        var sending = caller.SendGetAsync($"/generations?ids={string.Join(',', Enumerable.Range(0, 12))}");
        var requestCounts = new List<int>();
        for (var completed = 0; completed < 12; completed++)
        {
            await _gateway.Clock.WaitUntilIdleAsync();
            requestCounts.Add(_gateway.Upstream.RequestCount);
            release.Release();
        }

        using var response = await sending;
        Assert.Equal(12, (await response.JsonAsync()).GetProperty("generations").GetArrayLength());
        Assert.Equal([8, 9, 10, 11, 12, 12, 12, 12, 12, 12, 12, 12], requestCounts); // eight reads are active until fewer are left
    }

    [Theory]
    [InlineData("/generations")]
    [InlineData("/generations?ids=")]
    [InlineData("/generations?ids=a,b,c")]
    public async Task Missing_or_too_many_ids_are_a_problem_response(string path)
    {
        using var caller = _gateway.With("Batch:MaxIds", "2").CreateCaller();

        using var response = await caller.SendGetAsync(path);

        await response.ProblemAsync(400, "invalid_request");
    }
}
