using System.Net;
using System.Text;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Creating;

/// <summary>The job and the slot of a create at <c>POST /generations</c> whose generation exists, whatever happens to its response. Needs nothing.</summary>
public sealed class CreatedJobTests : IDisposable
{
    private const string Body = """{"prompt":"cat dance"}""";

    private readonly Gateway _gateway = new Gateway().With("Luma:MaxConcurrentJobs", "1");

    public static TheoryData<string?> Keys => new("key", null);

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_with_a_long_response_has_its_job(string? key)
    {
        _gateway.Upstream.ThenJson($$"""{"id":"g1","state":"pending","prompt":"{{new string('ж', 4000)}}"}""");

        using var response = await CreateAsync(key);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.InRange(response.Content.Headers.ContentLength!.Value, 8 * 1024, long.MaxValue);
        Assert.Equal(("g1", "queued"), await JobAsync());
    }

    [Fact]
    public async Task A_create_whose_caller_leaves_before_the_response_has_its_job()
    {
        _gateway.With(services => services.AddSingleton<IStartupFilter>(new LeavingCaller()));
        _gateway.Upstream.ThenJson("""{"id":"g1","state":"pending"}""");

        await Assert.ThrowsAnyAsync<Exception>(() => CreateAsync(null));

        Assert.Equal(("g1", "queued"), await JobAsync());
    }

    [Theory]
    [InlineData("relay", """{"prompt":"cat","model":"ray-v2"}""", """{"id":"g1","state":"pending"}""", "ray-v2")]
    [InlineData("relay", """{"prompt":"cat","model":"ray-v2"}""", """{"id":"g1","state":"pending","model":"ray-v2-flash"}""", "ray-v2-flash")]
    [InlineData("relay", """{"prompt":"cat"}""", """{"id":"g1","state":"pending"}""", null)]
    [InlineData("relay", """{"prompt":"cat","options":{"relay":{"model_name":5}}}""", """{"id":"g1","state":"pending"}""", null)]
    [InlineData("new-api", """{"prompt":"cat","model":"luma-ray"}""", """{"task_id":"g1","status":"queued"}""", "luma-ray")]
    [InlineData("new-api", """{"prompt":"cat","options":{"new-api":{"model":"luma-ray"}}}""", """{"code":"success","data":"g1"}""", "luma-ray")]
    [InlineData("piapi", """{"prompt":"cat","model":"ray-v2"}""", """{"code":200,"data":{"task_id":"g1","status":"pending"}}""", "ray-v2")]
    [InlineData("dream-machine", """{"prompt":"cat"}""", """{"id":"g1","state":"queued"}""", "ray-2")]
    [InlineData("agents", """{"prompt":"cat","model":"ray-3.2"}""", """{"id":"g1","state":"queued"}""", "ray-3.2")]
    public async Task The_job_has_the_model_of_the_response_or_of_the_body_that_was_sent(string dialect, string body, string created, string? model)
    {
        _gateway.With("Luma:Dialect", dialect).Upstream.ThenJson(created);
        using var caller = _gateway.CreateCaller();

        using var response = await CreateAsync(null, body);
        using var jobs = await caller.SendGetAsync("/jobs");
        using var found = await caller.SendGetAsync($"/jobs?model={model ?? "none"}");

        Assert.Equal(model, Assert.Single((await jobs.JsonAsync()).GetProperty("jobs").EnumerateArray()).GetProperty("model").GetString());
        Assert.Equal(model is null ? 0 : 1, (await found.JsonAsync()).GetProperty("jobs").GetArrayLength());
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_that_fails_at_once_gives_its_slot_back(string? key)
    {
        _gateway.With("Jobs:QueueTimeout", "00:00:00").Upstream.ThenJson(Samples.Failed("g1")).ThenJson("""{"id":"g2","state":"pending"}""");
        using var failed = await CreateAsync(key);

        using var next = await CreateAsync(null);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (failed.StatusCode, next.StatusCode));
    }

    private async Task<HttpResponseMessage> CreateAsync(string? key, string body = Body)
    {
        using var caller = _gateway.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generations") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private async Task<(string? Id, string? State)> JobAsync()
    {
        using var caller = _gateway.CreateCaller();
        using var response = await caller.SendGetAsync("/jobs");
        var job = Assert.Single((await response.JsonAsync()).GetProperty("jobs").EnumerateArray());
        return (job.GetProperty("id").GetString(), job.GetProperty("state").GetString());
    }

    /// <summary>The response to a POST cannot be written, as after the caller has left.</summary>
    private sealed class LeavingCaller : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(next => context =>
            {
                if (HttpMethods.IsPost(context.Request.Method))
                {
                    var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
                    context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new UnwritableStream(), body));
                }

                return next(context);
            });
            next(app);
        };
    }

    private sealed class UnwritableStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new OperationCanceledException();
    }
}
