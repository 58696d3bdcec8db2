using System.Globalization;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Access;

/// <summary>The number of log events for refused requests is limited, and a slow reader of the log does not delay requests.</summary>
public sealed class RefusalAuditTests : IDisposable
{
    private const int Refused = 1011;
    private const int NotLogged = 1013;
    private const int MaxPerSecond = 20;

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("a-wrong-key")]
    [InlineData(null)]
    public async Task Refusals_without_a_valid_credential_are_logged_up_to_the_limit_and_then_counted(string? key)
    {
        using var counted = _gateway.Collect<long>("luma_gateway.access.refused");
        using var otherCaller = _gateway.CreateCallerWithoutKey();
        if (key is not null)
        {
            otherCaller.DefaultRequestHeaders.Add("X-Api-Key", key);
        }

        await SendGetAsync(otherCaller, 500);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        await SendGetAsync(otherCaller, 1);

        Assert.Equal(MaxPerSecond + 1, Events(Refused).Count());
        Assert.Equal(500 - MaxPerSecond, Events(NotLogged).Sum(NotLoggedOf));
        Assert.Single(Events(NotLogged));
        Assert.Equal(501, counted.GetMeasurementSnapshot().Sum(one => one.Value));
    }

    [Fact]
    public async Task Refusals_of_clients_have_a_separate_limit()
    {
        _gateway.With("Limits:RequestsPerSecond", "1").With("Limits:Burst", "1").With("Limits:UpstreamCost", "1").Upstream.AlwaysJson(Samples.Failed("g1"));
        using var otherCaller = _gateway.CreateCallerWithoutKey();
        using var caller = _gateway.CreateCaller();

        await SendGetAsync(otherCaller, 100);
        await SendGetAsync(caller, 100);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(2 * MaxPerSecond, Events(Refused).Count());
        Assert.Equal(80 + 79, Events(NotLogged).Sum(NotLoggedOf));
    }

    [Fact]
    public void The_console_logger_drops_events_when_its_queue_is_full()
    {
        _gateway.With("Logging:Console:QueueFullMode", "Wait");
        using var caller = _gateway.CreateCaller();

        Assert.Equal(ConsoleLoggerQueueFullMode.DropWrite, _gateway.Services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.QueueFullMode);
    }

    private static int NotLoggedOf(FakeLogRecord record) => int.Parse(record.StructuredState!.ToDictionary()["Count"]!, CultureInfo.InvariantCulture);

    private IEnumerable<FakeLogRecord> Events(int id) => _gateway.Logs.GetSnapshot().Where(record => record.Id.Id == id);

    private static async Task SendGetAsync(HttpClient client, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var response = await client.SendGetAsync("/generations/g1");
        }
    }
}
