using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Generations;

[Collection(RunsAlone.Name)]
public sealed class BatchTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Several_are_answered_in_the_order_asked_each_once_each_with_its_own_problem()
    {
        _gateway.With("Luma:Retries", "0").Upstream.Always((request, _) => Task.FromResult(request.RequestUri!.Segments[^1] switch
        {
            "gone" => ScriptedUpstream.Json("{}", HttpStatusCode.NotFound),
            "broken" => ScriptedUpstream.Json("{}", HttpStatusCode.InternalServerError),
            var id => ScriptedUpstream.Json(Samples.CompletedAs(id)),
        }));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.AskAsync("/generations?ids=b,gone,a,broken,b,x.y");
        using var again = await caller.AskAsync("/generations?ids=a&ids=b");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Header("Content-Type"));
        Assert.Equal("private, no-cache", response.Header("Cache-Control"));
        var items = (await response.JsonAsync()).GetProperty("generations").EnumerateArray().ToList();
        Assert.Equal(["b", "gone", "a", "broken", "x.y"], items.Select(item => item.GetProperty("id").GetString()));
        Assert.Equal("completed", items[0].GetProperty("state").GetString());
        Assert.Equal("generation_not_found", items[1].GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal("upstream_failed", items[3].GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal("invalid_id", items[4].GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal(["a", "b"], (await again.JsonAsync()).GetProperty("generations").EnumerateArray().Select(item => item.GetProperty("id").GetString()));
        Assert.Equal(4, _gateway.Upstream.Asked);
    }

    [Fact]
    public async Task No_more_are_read_at_once_than_the_settings_say()
    {
        using var release = new SemaphoreSlim(0);
        _gateway.With("Batch:Parallel", "3").Upstream.Always(async (request, token) =>
        {
            await release.WaitAsync(token);
            return ScriptedUpstream.Json(Samples.CompletedAs(request.RequestUri!.Segments[^1]));
        });
        using var caller = _gateway.CreateCaller();

        var asking = caller.AskAsync($"/generations?ids={string.Join(',', Enumerable.Range(0, 12))}");
        var asked = new List<int>();
        for (var answered = 0; answered < 12; answered++)
        {
            await _gateway.Clock.SettleAsync();
            asked.Add(_gateway.Upstream.Asked);
            release.Release();
        }

        using var response = await asking;
        Assert.Equal(12, (await response.JsonAsync()).GetProperty("generations").GetArrayLength());
        Assert.Equal([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 12], asked); // three under way at any time, while there are so many
    }

    [Theory]
    [InlineData("/generations")]
    [InlineData("/generations?ids=")]
    [InlineData("/generations?ids=a,b,c")]
    public async Task No_ids_or_too_many_are_a_problem(string path)
    {
        using var caller = _gateway.With("Batch:MaxIds", "2").CreateCaller();

        using var response = await caller.AskAsync(path);

        await response.ProblemAsync(400, "invalid_request");
    }
}
