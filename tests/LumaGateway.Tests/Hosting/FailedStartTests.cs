using LumaGateway.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace LumaGateway.Tests.Hosting;

public sealed class FailedStartTests
{
    [Fact]
    public async Task A_background_service_that_is_cancelled_after_a_failed_start_is_not_logged()
    {
        var logs = new FakeLoggerProvider();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrel().UseUrls("nonsense");
        builder.Logging.AddProvider(logs);
        builder.Services.AddSingleton(TimeProvider.System).AddHostedService<CancelledService>();

        var exitCode = await builder.Build().RunAndReportErrorsAsync();

        Assert.Equal(StartupErrors.ExitCode, exitCode);
        Assert.DoesNotContain(logs.Collector.GetSnapshot(), record => record.Message.Contains("BackgroundService", StringComparison.Ordinal));
    }

    /// <summary>Ends as every background service does that is stopped before the thread pool has begun it: its task is cancelled.</summary>
    private sealed class CancelledService : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stoppingToken);
    }
}
