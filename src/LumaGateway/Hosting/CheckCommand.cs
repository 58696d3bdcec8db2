using System.Globalization;

namespace LumaGateway.Hosting;

/// <summary>
/// <c>--check</c>: instead of serving, tries every connection that the settings name, says a line for each, and ends with 0 where none is bad.
/// Names settings, never what they hold.
/// </summary>
internal static class CheckCommand
{
    private const string Argument = "--check";

    /// <summary>What is said here is all that is to be read.</summary>
    private const string Silence = "--Logging:Console:LogLevel:Default=None";

    /// <summary>Whether it is asked for; leaves the settings among the arguments.</summary>
    public static bool TakeFrom(ref string[] args)
    {
        var isAsked = args.Contains(Argument);
        args = [.. args.Select(argument => argument is Argument ? Silence : argument)];
        return isAsked;
    }

    public static IServiceCollection AddCheck(this IServiceCollection services) => services
        .AddSingleton<IConnectionCheck, UpstreamCheck>()
        .AddSingleton<IConnectionCheck, RedisCheck>()
        .AddSingleton<IConnectionCheck, LedgerCheck>()
        .AddSingleton<IConnectionCheck, IssuerCheck>();

    /// <summary>To be called once the settings are known to be good. Gives the exit code.</summary>
    public static async Task<int> CheckConnectionsAsync(this WebApplication app)
    {
        await using (app)
        {
            var clock = app.Services.GetRequiredService<TimeProvider>();
            var isGood = true;
            Say("ok", "settings", "All are there and valid.");
            foreach (var check in app.Services.GetServices<IConnectionCheck>())
            {
                var begun = clock.GetTimestamp();
                var (verdict, says) = await check.TryAsync();
                isGood &= verdict is not Verdict.Bad;
                Say(
                    verdict switch { Verdict.Good => "ok", Verdict.Bad => "FAIL", Verdict.Unclear => "?", _ => "-" },
                    check.Name,
                    verdict is Verdict.Good ? string.Create(CultureInfo.InvariantCulture, $"{says} ({clock.GetElapsedTime(begun).TotalMilliseconds:0} ms)") : says);
            }

            return isGood ? 0 : 1;
        }
    }

    private static void Say(string verdict, string name, string text) => Console.Out.WriteLine($"{verdict,-4}  {name,-8}  {text}");
}
