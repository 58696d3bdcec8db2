using Microsoft.Extensions.Options;

namespace LumaGateway.Errors;

/// <summary>Runs the service, or says in plain words why it cannot start.</summary>
internal static class Startup
{
    /// <summary>Wrong settings end the start with every fault on a line of its own and exit code 1: no stack trace.</summary>
    public static async Task RunOrExplainAsync(this WebApplication app)
    {
        try
        {
            await app.RunAsync();
        }
        catch (Exception exception) when (Faults(exception) is { Count: > 0 } faults)
        {
            await Console.Error.WriteLineAsync("LumaGateway cannot start. These settings are missing or wrong:");
            foreach (var fault in faults)
            {
                await Console.Error.WriteLineAsync($"  - {fault}");
            }

            Environment.ExitCode = 1;
        }
    }

    /// <summary>One options class that is wrong throws its own exception, several an aggregate.</summary>
    private static List<string> Faults(Exception exception) => exception switch
    {
        OptionsValidationException settings => [.. settings.Failures],
        AggregateException several => [.. several.InnerExceptions.SelectMany(Faults)],
        _ => [],
    };
}
