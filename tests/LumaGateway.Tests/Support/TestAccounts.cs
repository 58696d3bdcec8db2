using System.Diagnostics.Metrics;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Support;

/// <summary>Upstream accounts outside a gateway, and the settings of several accounts for one. The host of an account is its name and <c>.test</c>.</summary>
internal static class TestAccounts
{
    /// <summary>Accounts that send their requests to <paramref name="upstream"/>, if it is given.</summary>
    public static UpstreamAccounts Create(MonotonicClock clock, HttpMessageHandler? upstream, params IEnumerable<AccountOptions> accounts)
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        return new UpstreamAccounts(accounts.Select(options => new UpstreamAccount(
            options, Options.Create(new LumaOptions()), Options.Create(new UpstreamLimitsOptions()), meters, clock, NullLoggerFactory.Instance, new Handlers(upstream))));
    }

    public static AccountOptions Named(string name, string dialect = "relay", int weight = 1, bool draining = false) =>
        new() { Name = name, BaseAddress = AddressOf(name), Dialect = dialect, ApiKey = TokenOf(name), Weight = weight, Draining = draining };

    /// <summary>Replaces the single account of a gateway.</summary>
    public static Gateway WithAccounts(this Gateway gateway, params IReadOnlyList<AccountOptions> accounts)
    {
        gateway.With("Luma:BaseAddress", null).With("Luma:ApiKey", null);
        for (var i = 0; i < accounts.Count; i++)
        {
            var (key, account) = ($"Luma:Accounts:{i}", accounts[i]);
            gateway.With($"{key}:Name", account.Name).With($"{key}:BaseAddress", account.BaseAddress).With($"{key}:Dialect", account.Dialect)
                .With($"{key}:ApiKey", account.ApiKey).With($"{key}:Weight", $"{account.Weight}").With($"{key}:Draining", $"{account.Draining}");
        }

        return gateway;
    }

    public static string TokenOf(string name) => $"token-of-{name}";

    /// <summary>The names of the accounts that got a request, in order.</summary>
    public static string AccountsOf(this ScriptedUpstream upstream) => string.Join(' ', upstream.Received.Select(one => one.Address.Host.Split('.')[0]));

    private static string AddressOf(string name) => $"http://{name}.test/luma";

    private sealed class Handlers(HttpMessageHandler? upstream) : IHttpMessageHandlerFactory
    {
        public HttpMessageHandler CreateHandler(string name) => upstream ?? new SocketsHttpHandler();
    }
}
