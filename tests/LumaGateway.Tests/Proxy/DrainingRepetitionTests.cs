using System.Net;
using LumaGateway.Jobs;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Jobs;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LumaGateway.Tests.Proxy;

/// <summary>A create with a key is repeated after its account was set to draining and the gateway restarted. Both gateways share the ledger.</summary>
public sealed class DrainingRepetitionTests : IDisposable
{
    private readonly RawGateway _before = new();
    private readonly RawGateway _after = new();

    public DrainingRepetitionTests()
    {
        var ledger = Ledgers.InMemory(_before.Gateway.Clock);
        var store = new MemoryIdempotencyStore(ledger, _before.Gateway.Clock);
        foreach (var raw in (RawGateway[])[_before, _after])
        {
            raw.Gateway.With(services => services
                .Replace(ServiceDescriptor.Singleton<IIdempotencyStore>(store)).Replace(ServiceDescriptor.Singleton<IJobLedger>(ledger)));
            raw.Upstream.Always((request, _) => Task.FromResult(request.Method == HttpMethod.Post
                ? ScriptedUpstream.Json("""{"id":"g2","state":"queued"}""", HttpStatusCode.Created)
                : ScriptedUpstream.Json("""{"id":"g1","state":"processing"}""")));
        }
    }

    public void Dispose()
    {
        _before.Dispose();
        _after.Dispose();
    }

    [Theory]
    [InlineData("/luma/generations", "a", false)]
    [InlineData("/luma/generations", null, true)]
    [InlineData("/luma/generations/g1/extend", null, false)]
    [InlineData("/generations", "a", false)]
    [InlineData("/generations", null, true)]
    public async Task It_gets_its_recorded_response_and_a_new_key_is_refused(string path, string? account, bool drainsAll)
    {
        _before.Gateway.WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b"));
        _after.Gateway.WithAccounts(TestAccounts.Named("a", draining: true), TestAccounts.Named("b", draining: drainsAll));

        using var created = await CreateAsync(_before, path, account, "k1");
        using var repeated = await CreateAsync(_after, path, account, "k1");
        using var refused = await CreateAsync(_after, path, account, "k2");
        using var caller = _after.CreateCaller();
        using var jobs = await caller.SendGetAsync("/jobs");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created, "true"), (created.StatusCode, repeated.StatusCode, repeated.Header("Idempotency-Replayed")));
        await refused.ProblemAsync(503, "account_draining");
        Assert.DoesNotContain(_after.Upstream.Received, sent => sent.Method == HttpMethod.Post);
        Assert.Single((await jobs.JsonAsync()).GetProperty("jobs").EnumerateArray());
    }

    private static async Task<HttpResponseMessage> CreateAsync(RawGateway raw, string path, string? account, string key)
    {
        using var caller = raw.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("""{"prompt":"cat"}""") };
        request.Headers.Add("Idempotency-Key", key);
        if (account is not null)
        {
            request.Headers.Add(AccountMiddleware.Header, account);
        }

        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
