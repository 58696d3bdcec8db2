using LumaGateway.LongPolling;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Tests.LongPolling;

public sealed class PreferredWaitTests
{
    [Theory]
    [InlineData("wait=10", 10)]
    [InlineData("WAIT=10", 10)]
    [InlineData("wait = 10", 10)]
    [InlineData("wait=\"10\"", 10)]
    [InlineData("wait=0", 0)]
    [InlineData("respond-async, wait=10", 10)]
    [InlineData("foo=\"a,b; wait=3\", wait=10", 10)]
    [InlineData("foo=\"\\\", wait=3\", wait=10", 10)]
    [InlineData("wait=10; some=parameter", 10)]
    [InlineData("wait=10, wait=20", 10)]
    [InlineData("handling=lenient,,wait=5", 5)]
    [InlineData("wait=51", 50)]
    [InlineData("wait=99999999999999999999999999", 50)]
    public void A_wait_preference_is_parsed_as_RFC_7240_defines_it(string prefer, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), PreferredWait.Read(prefer, TimeSpan.FromSeconds(50)));

    [Theory]
    [InlineData("")]
    [InlineData("wait")]
    [InlineData("wait=")]
    [InlineData("wait=-1")]
    [InlineData("wait=1.5")]
    [InlineData("wait=ten")]
    [InlineData("wait=\u0661")]
    [InlineData("wait=\"1")]
    [InlineData("waits=10")]
    [InlineData("await=10")]
    [InlineData("foo; wait=10")]
    [InlineData("wait=x, wait=20")]
    [InlineData("respond-async")]
    public void A_malformed_or_different_preference_is_ignored(string prefer) =>
        Assert.Null(PreferredWait.Read(prefer, TimeSpan.FromSeconds(50)));

    [Fact]
    public void Several_headers_are_one_list() =>
        Assert.Equal(TimeSpan.FromSeconds(7), PreferredWait.Read(new StringValues(["return=minimal", "wait=7"]), TimeSpan.FromSeconds(50)));
}
