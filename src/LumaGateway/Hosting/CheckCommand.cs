using System.Globalization;

namespace LumaGateway.Hosting;

/// <summary>
/// <c>--check</c>: checks every connection that is configured and prints one line for each. The output names settings and never contains their values.
/// </summary>
internal static class CheckCommand
{
    public static IServiceCollection AddCheck(this IServiceCollection services) => services
        .AddSingleton<IConnectionCheck, UpstreamCheck>()
        .AddSingleton<IConnectionCheck, RedisCheck>()
        .AddSingleton<IConnectionCheck, LedgerCheck>()
        .AddSingleton<IConnectionCheck, IssuerCheck>();

    /// <summary>Requires valid settings.</summary>
    /// <returns>The exit code: 1 if a connection failed, else 0.</returns>
    public static async Task<int> CheckConnectionsAsync(this WebApplication app)
    {
        await using (app)
        {
            var clock = app.Services.GetRequiredService<TimeProvider>();
            var hasFailed = false;
            Print("ok", "settings", "All settings are valid.");
            foreach (var check in app.Services.GetServices<IConnectionCheck>())
            {
                var start = clock.GetTimestamp();
                var (status, message) = await check.CheckAsync();
                hasFailed |= status is ConnectionStatus.Failed;
                Print(
                    status switch { ConnectionStatus.Ok => "ok", ConnectionStatus.Failed => "FAIL", ConnectionStatus.Uncertain => "?", _ => "-" },
                    check.Name,
                    status is ConnectionStatus.Ok ? string.Create(CultureInfo.InvariantCulture, $"{message} ({clock.GetElapsedTime(start).TotalMilliseconds:0} ms)") : message);
            }

            return hasFailed ? 1 : 0;
        }
    }

    private static void Print(string status, string name, string message) => Console.Out.WriteLine($"{status,-4}  {name,-8}  {message}");
}
