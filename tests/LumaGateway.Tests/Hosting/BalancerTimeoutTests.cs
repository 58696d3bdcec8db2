using System.Globalization;
using System.Text.RegularExpressions;
using LumaGateway.Jobs;
using LumaGateway.Polling;
using LumaGateway.Proxy;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Hosting;

/// <summary>
/// The timeouts of the balancers in <c>infra</c>. A balancer that gives up before the gateway hides its response to a create, and with it <c>x-should-retry: false</c>. Needs nothing.
/// </summary>
public sealed class BalancerTimeoutTests
{
    [Theory]
    [InlineData("infra/nginx.conf", "proxy_read_timeout ([0-9]+)s;")]
    [InlineData("infra/haproxy.cfg", "timeout server ([0-9]+)s")]
    [InlineData("infra/haproxy.cfg", "timeout client ([0-9]+)s")]
    [InlineData("infra/kubernetes/examples/ingress.yaml", "proxy-read-timeout: \"([0-9]+)\"")]
    [InlineData("infra/helm/luma-gateway/values.yaml", "proxy-read-timeout: \"([0-9]+)\"")]
    public void A_balancer_waits_longer_than_a_create_can_take(string file, string pattern)
    {
        var longest = new JobsOptions().QueueTimeout + new PassthroughOptions().CreateTimeout + new WaitingOptions().Longest;

        var timeout = Regex.Match(Repository.Read(file), pattern).Groups[1].Value;

        Assert.InRange(TimeSpan.FromSeconds(int.Parse(timeout, CultureInfo.InvariantCulture)), longest + TimeSpan.FromSeconds(10), TimeSpan.MaxValue);
    }
}
