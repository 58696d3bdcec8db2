using LumaGateway.Hosting;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams.Dialects;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Hosting;

/// <summary><c>--check</c> against every kind of upstream, with the right and a wrong dialect.</summary>
public sealed class DialectProbeTests
{
    private static readonly string[] Dialects = [.. KnownDialects.Create().Select(dialect => dialect.Name)];

    public static TheoryData<string> AllDialects => [.. Dialects];

    public static TheoryData<string, string> WrongDialects => new(
        from configured in Dialects
        from served in Dialects
        where configured != served
        select (configured, served));

    [Theory]
    [MemberData(nameof(AllDialects))]
    public async Task The_configured_dialect_at_the_right_path_is_ok(string dialect)
    {
        var (status, message) = await CheckAsync(dialect, dialect, "/api/v1");

        Assert.StartsWith($"Responds at Luma:BaseAddress in the dialect {dialect} and accepts the token.", message, StringComparison.Ordinal);
        Assert.Equal(ConnectionStatus.Ok, status);
    }

    [Theory]
    [MemberData(nameof(WrongDialects))]
    public async Task A_wrong_dialect_is_not_ok(string configured, string served)
    {
        var (status, message) = await CheckAsync(configured, served, "/api/v1");

        // Some relays respond to an unknown id in the same shape as new-api.
        Assert.Equal((configured, served) is ("relay", "new-api") ? ConnectionStatus.Uncertain : ConnectionStatus.Failed, status);
        Assert.Contains(status is ConnectionStatus.Failed ? "Luma:Dialect" : "or from another API", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("relay", "dream-machine")]
    [InlineData("agents", "dream-machine")]
    [InlineData("dream-machine", "agents")]
    [InlineData("relay", "agents")]
    [InlineData("new-api", "relay")]
    public async Task The_message_names_the_dialect_of_the_upstream(string configured, string served) =>
        Assert.StartsWith($"Responds at Luma:BaseAddress in the dialect {served}, not {configured}", (await CheckAsync(configured, served, "/api/v1")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("relay", "/api/v2")]
    [InlineData("dream-machine", "/api/v2")]
    [InlineData("agents", "/api/v2")]
    [InlineData("new-api", "/api/v2")]
    [InlineData("piapi", "/api/v2")]
    [InlineData("relay", "")]
    [InlineData("dream-machine", "/nowhere")]
    [InlineData("agents", "/api/v1/generations")]
    public async Task A_wrong_version_or_path_fails_and_the_message_describes_the_response(string dialect, string path)
    {
        var (status, message) = await CheckAsync(dialect, dialect, path);

        Assert.Equal(ConnectionStatus.Failed, status);
        Assert.Contains("(404 with ", message, StringComparison.Ordinal);
        Assert.Contains("path and version in Luma:BaseAddress", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "<html>CANARY</html>", "404 with no JSON", true)]
    [InlineData(404, "{}", "404 with JSON of an unknown shape", true)]
    [InlineData(404, "[1]", "404 with JSON other than an object", true)]
    [InlineData(404, "{\"\\ud800\":1}", "404 with JSON of an unknown shape", true)]
    [InlineData(301, "", "301 with no JSON", true)]
    [InlineData(404, "{\"detail\":\"Not Found\"}", "404 with JSON with detail", true)]
    [InlineData(404, "{\"detail\":\"CANARY has no such task\"}", "404 with JSON with detail", false)]
    [InlineData(400, "{\"code\":\"task_not_exist\",\"message\":\"CANARY\"}", "400 with JSON with code, message", false)]
    [InlineData(200, "{\"status\":\"CANARY\"}", "200 with JSON of an unknown shape", true)]
    public async Task An_unrecognized_response_is_described_without_its_text(int statusCode, string body, string description, bool isFailed)
    {
        await using var upstream = await Loopback.StartAsync(context =>
        {
            context.Response.StatusCode = statusCode;
            return context.Response.WriteAsync(body);
        });

        var (status, message) = await CheckAsync("relay", upstream.Address);

        Assert.Equal(isFailed ? ConnectionStatus.Failed : ConnectionStatus.Uncertain, status);
        Assert.Contains($"({description})", message, StringComparison.Ordinal);
        Assert.DoesNotContain("CANARY", message, StringComparison.Ordinal);
    }

    private static async Task<ConnectionCheckResult> CheckAsync(string configured, string served, string path)
    {
        await using var upstream = await Loopback.StartAsync(context => RespondAsync(context, served));
        return await CheckAsync(configured, upstream.Address + path);
    }

    private static async Task<ConnectionCheckResult> CheckAsync(string dialect, string address)
    {
        await using var gateway = new Gateway().WithUpstream(address).With("Luma:Dialect", dialect).With("Luma:Retries", "0");
        return await gateway.Services.GetServices<IConnectionCheck>().Single(check => check.Name == "upstream").CheckAsync();
    }

    /// <summary>The responses of each kind of upstream below <c>/api/v1</c> and at other paths.</summary>
    private static Task RespondAsync(HttpContext context, string kind)
    {
        var path = context.Request.Path.Value!;
        var (header, value) = KnownDialects.Create().Single(dialect => dialect.Name == kind).Credential(Gateway.Token);
        var isAllowed = context.Request.Headers[header] == value;
        var below = path.StartsWith("/api/v1/", StringComparison.Ordinal) ? path["/api/v1/".Length..].Split('/') : [];
        var (status, body) = (kind, below) switch
        {
            _ when !isAllowed => (401, """{"detail":"Invalid token"}"""),
            ("dream-machine", ["generations"]) => (200, """{"has_more":false,"count":0,"limit":1,"offset":0,"generations":[]}"""),
            ("agents", ["files"]) => (200, """{"data":[],"has_more":false,"next_cursor":null}"""),
            ("agents", ["generations"]) => (405, """{"detail":"Method Not Allowed"}"""),
            ("dream-machine" or "agents", ["generations", _]) => (404, """{"detail":"Generation not found"}"""),
            ("relay", ["generations", _]) => (404, """{"error":{"message":"task not found","type":"invalid_request_error","code":"task_not_found"}}"""),
            ("new-api", ["generations", _]) => (400, """{"code":"task_not_exist","message":"task_not_exist","data":null}"""),
            ("piapi", ["task", _]) => (404, """{"code":404,"data":null,"message":"task not found"}"""),
            ("dream-machine" or "agents", _) => (404, """{"detail":"Not Found"}"""),
            ("piapi", _) => (404, "404 page not found"),
            _ => (404, $$$"""{"error":{"message":"Invalid URL (GET {{{path}}})","type":"invalid_request_error","param":"","code":""}}"""),
        };
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    }
}
