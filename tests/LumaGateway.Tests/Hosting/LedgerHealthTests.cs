using System.Net;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Hosting;

/// <summary>Readiness while the Redis of the ledger is not there. Needs nothing.</summary>
public sealed class LedgerHealthTests : IAsyncDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Luma:Name", "tests").With("ConnectionStrings:Ledger", "127.0.0.1:1"); // no program listens there

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Without_its_ledger_a_gateway_is_degraded_and_ready()
    {
        using var connected = _gateway.Collect<int>("luma_gateway.ledger.connected");
        using var caller = _gateway.CreateCaller();

        var body = default(JsonElement);
        await Poll.UntilAsync(async () =>
        {
            using var health = await caller.SendGetAsync("/health/ready");
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
            body = await health.JsonAsync();
            return body.GetProperty("status").GetString() is "degraded"; // after the first attempt to connect
        });

        Assert.Equal(("healthy", "degraded"), (body.GetProperty("checks").GetProperty("redis").GetString(), body.GetProperty("checks").GetProperty("ledger").GetString()));
        connected.RecordObservableInstruments();
        Assert.Equal(0, connected.LastMeasurement?.Value);
    }
}
