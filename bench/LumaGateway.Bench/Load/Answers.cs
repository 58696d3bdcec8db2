using System.Net;
using LumaGateway.Bench.Machine;

namespace LumaGateway.Bench.Load;

/// <summary>Looks at single answers before they are counted.</summary>
internal static class Answers
{
    /// <summary>Throws unless it answers with a 200 of the right length. Asks twice: from then on a cache is full.</summary>
    public static async Task CheckAsync(Contender contender)
    {
        using var http = ClientOf(contender.Server);
        var asking = contender.Ask();
        var path = new Uri(asking.Path.Replace("@id", $"{asking.First}", StringComparison.Ordinal), UriKind.Relative);
        for (var time = 1; time <= 2; time++)
        {
            using var answer = await http.GetAsync(path);
            var body = await answer.Content.ReadAsByteArrayAsync();
            if (answer.StatusCode is not HttpStatusCode.OK || body.Length == 0 || body.Length != (contender.Length ?? body.Length))
            {
                throw new BenchException($"{contender.Name} answered {(int)answer.StatusCode} with {body.Length} bytes.\n{contender.Server.Process.Output}");
            }

            // Those that say it say it right; of all of them the upstream's count is believed.
            if (time == 2 && !contender.AsksUpstream && answer.Headers.TryGetValues("Cache-Status", out var status) && !status.Single().Contains("; hit", StringComparison.Ordinal))
            {
                throw new BenchException($"{contender.Name} calls it '{status.Single()}'.");
            }
        }
    }

    /// <summary>A caller with a key.</summary>
    public static HttpClient ClientOf(Server server)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 10_000 })
        {
            BaseAddress = server.Address,
            Timeout = ServerProcess.Patience,
        };
        http.DefaultRequestHeaders.Add("X-Api-Key", "key-0");
        return http;
    }
}
