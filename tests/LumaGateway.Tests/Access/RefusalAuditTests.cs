using System.Globalization;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Access;

/// <summary>However many requests are refused, the log takes a bounded number of lines a second, and none of them waits for a reader.</summary>
public sealed class RefusalAuditTests : IDisposable
{
    private const int Refused = 1011;
    private const int LeftOut = 1013;
    private const int MostASecond = 20;

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("a-wrong-key")]
    [InlineData(null)]
    public async Task Refusals_without_a_valid_credential_are_audited_up_to_a_bound_and_the_rest_counted(string? key)
    {
        using var counted = _gateway.Collect<long>("luma_gateway.access.refused");
        using var stranger = _gateway.CreateStranger();
        if (key is not null)
        {
            stranger.DefaultRequestHeaders.Add("X-Api-Key", key);
        }

        await AskAsync(stranger, 500);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        await AskAsync(stranger, 1);

        Assert.Equal(MostASecond + 1, Events(Refused).Count());
        Assert.Equal(500 - MostASecond, Events(LeftOut).Sum(LeftOutOf));
        Assert.Single(Events(LeftOut));
        Assert.Equal(501, counted.GetMeasurementSnapshot().Sum(one => one.Value));
    }

    [Fact]
    public async Task Refusals_of_a_client_over_its_limit_are_bounded_too_and_apart_from_those_of_strangers()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "1").With("Limits:UpstreamCost", "1").Upstream.AlwaysJson(Samples.Failed("g1"));
        using var stranger = _gateway.CreateStranger();
        using var caller = _gateway.CreateCaller();

        await AskAsync(stranger, 100);
        await AskAsync(caller, 100);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(2 * MostASecond, Events(Refused).Count());
        Assert.Equal(80 + 79, Events(LeftOut).Sum(LeftOutOf));
    }

    [Fact]
    public void The_console_never_waits_for_its_reader()
    {
        _gateway.With("Logging:Console:QueueFullMode", "Wait");
        using var caller = _gateway.CreateCaller();

        Assert.Equal(ConsoleLoggerQueueFullMode.DropWrite, _gateway.Services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.QueueFullMode);
    }

    private static int LeftOutOf(FakeLogRecord record) => int.Parse(record.StructuredState!.ToDictionary()["Count"]!, CultureInfo.InvariantCulture);

    private IEnumerable<FakeLogRecord> Events(int id) => _gateway.Logs.GetSnapshot().Where(record => record.Id.Id == id);

    private static async Task AskAsync(HttpClient client, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var response = await client.AskAsync("/generations/g1");
        }
    }
}
