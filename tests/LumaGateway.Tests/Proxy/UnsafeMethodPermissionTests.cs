namespace LumaGateway.Tests.Proxy;

/// <summary>Unsafe methods require more than <c>raw</c>, also on routes that an operator adds.</summary>
public sealed class UnsafeMethodPermissionTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Theory]
    [InlineData("PUT", "raw", null, 403)]
    [InlineData("PATCH", "raw", null, 403)]
    [InlineData("PUT", "raw,delete", null, 403)]
    [InlineData("PUT", "raw,create", null, 202)]
    [InlineData("PATCH", "raw,create", null, 202)]
    [InlineData("PATCH", "create", null, 403)]
    [InlineData("PATCH", "raw,create", "delete", 403)]
    [InlineData("PATCH", "raw,delete", "delete", 202)]
    [InlineData("POST", "raw,create", "delete", 403)]
    [InlineData("DELETE", "raw,delete", "purge", 403)]
    [InlineData("DELETE", "raw,purge", "purge", 202)]
    [InlineData("POST", "raw", "raw", 202)]
    [InlineData("GET", "raw", "delete", 202)]
    [InlineData("OPTIONS", "raw", "delete", 202)]
    public async Task An_unsafe_method_requires_create_or_the_permission_in_its_routes_metadata(string method, string rights, string? permission, int status)
    {
        var given = rights.Split(',');
        for (var i = 0; i < 6; i++)
        {
            _raw.Gateway.With($"Access:Clients:0:Rights:{i}", given.ElementAtOrDefault(i));
        }

        _raw.Gateway.With("ReverseProxy:Routes:own:ClusterId", "luma")
            .With("ReverseProxy:Routes:own:Match:Path", "/luma/own/{name}")
            .With("ReverseProxy:Routes:own:Match:Methods:0", method)
            .With("ReverseProxy:Routes:own:Metadata:Permission", permission);
        _raw.Upstream.AlwaysJson("{}", System.Net.HttpStatusCode.Accepted);
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(new HttpMethod(method), "/luma/own/thing");

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 202 ? 1 : 0, _raw.Upstream.RequestCount);
    }

    [Fact]
    public void An_unknown_permission_is_a_start_up_error_that_names_the_setting()
    {
        _raw.Gateway.With("ReverseProxy:Routes:ping:Metadata:Permission", "writing");

        Assert.ThrowsAny<Exception>(() => _raw.CreateCaller());

        Assert.Contains(_raw.Gateway.StartFaults, fault => fault.Contains("ReverseProxy:Routes:ping:Metadata:Permission", StringComparison.Ordinal));
    }
}
