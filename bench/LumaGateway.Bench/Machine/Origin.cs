using System.Text.RegularExpressions;

namespace LumaGateway.Bench.Machine;

/// <summary>The upstream, which counts what it is asked: the oracle for what was a hit.</summary>
internal sealed partial class Origin(Server server) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = server.Address };

    public Server Server => server;

    /// <summary>Requests since its start, these questions included.</summary>
    public async Task<long> CountAsync()
    {
        var status = await _http.GetStringAsync(new Uri("/count", UriKind.Relative));
        return long.Parse(Requests().Match(status).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The third number of nginx's stub_status.</summary>
    [GeneratedRegex(@"^\s*\d+\s+\d+\s+(\d+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Requests();
}
