using LumaGateway.Problems;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Problems;

public sealed class ProblemTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/nothing/here")]
    [InlineData("/generations/a/b")]
    [InlineData("/luma/nothing")]
    public async Task An_unknown_route_returns_a_problem(string path)
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync(path);

        await response.ProblemAsync(404, "not_found");
    }

    [Theory]
    [InlineData("POST", "/generations/g1", "DELETE, GET, HEAD")]
    [InlineData("PUT", "/generations/g1/cache", "DELETE")]
    [InlineData("PATCH", "/luma/generations/g1", "DELETE, GET, HEAD")]
    public async Task An_unsupported_method_returns_the_supported_ones_in_Allow(string method, string path, string allowed)
    {
        using var caller = _gateway.CreateCaller();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        await response.ProblemAsync(405, "method_not_allowed");
        Assert.Equal(allowed, response.Header("Allow"));
    }

    [Fact]
    public void Every_fault_has_a_kind_and_every_code_is_unique()
    {
        foreach (var fault in Enum.GetValues<UpstreamFault>())
        {
            Assert.Contains(ProblemKinds.Of(fault), ProblemKinds.All);
        }

        Assert.Equal(ProblemKinds.All.Count, ProblemKinds.All.Select(kind => kind.Code).Distinct().Count());
        Assert.All(ProblemKinds.All, kind => Assert.Matches("^[a-z][a-z_]+$", kind.Code));
        Assert.Equal(
            ProblemKinds.All.Count,
            typeof(ProblemKinds).GetFields().Count(field => field.FieldType == typeof(ProblemKind)));
    }

    [Theory]
    [InlineData(UpstreamFault.Unreachable, 502)]
    [InlineData(UpstreamFault.Failed, 502)]
    [InlineData(UpstreamFault.Rejected, 502)]
    [InlineData(UpstreamFault.Malformed, 502)]
    [InlineData(UpstreamFault.NotFound, 404)]
    [InlineData(UpstreamFault.TokenRefused, 502)]
    [InlineData(UpstreamFault.OutOfCredit, 502)]
    [InlineData(UpstreamFault.Throttled, 503)]
    [InlineData(UpstreamFault.CircuitOpen, 503)]
    [InlineData(UpstreamFault.Saturated, 503)]
    [InlineData(UpstreamFault.TimedOut, 504)]
    public void A_fault_has_the_status_of_the_HTTP_contract(UpstreamFault fault, int status) =>
        Assert.Equal(status, ProblemKinds.Of(fault).Status);
}
