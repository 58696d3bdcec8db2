using LumaGateway.Hosting;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Hosting;

/// <summary><c>--check</c> against every kind of upstream, rightly and wrongly configured.</summary>
public sealed class DialectProbeTests
{
    private static readonly string[] Dialects = ["relay", "dream-machine", "agents", "new-api", "piapi"];

    public static TheoryData<string, string> WrongDialects => new(
        from configured in Dialects
        from served in Dialects
        where configured != served
        select (configured, served));

    [Theory]
    [InlineData("relay")]
    [InlineData("dream-machine")]
    [InlineData("agents")]
    [InlineData("new-api")]
    [InlineData("piapi")]
    public async Task The_right_dialect_at_the_right_path_is_good(string dialect)
    {
        var (verdict, says) = await CheckAsync(dialect, dialect, "/api/v1");

        Assert.StartsWith($"It answers at Luma:BaseAddress as {dialect} does, and takes the token.", says, StringComparison.Ordinal);
        Assert.Equal(Verdict.Good, verdict);
    }

    [Theory]
    [MemberData(nameof(WrongDialects))]
    public async Task A_wrong_dialect_is_not_good(string configured, string served)
    {
        var (verdict, says) = await CheckAsync(configured, served, "/api/v1");

        // Some relays say that there is no task as new-api does.
        Assert.Equal((configured, served) is ("relay", "new-api") ? Verdict.Unclear : Verdict.Bad, verdict);
        Assert.Contains(verdict is Verdict.Bad ? "Luma:Dialect" : "or of another API", says, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("relay", "dream-machine")]
    [InlineData("agents", "dream-machine")]
    [InlineData("dream-machine", "agents")]
    [InlineData("relay", "agents")]
    [InlineData("new-api", "relay")]
    public async Task The_dialect_that_it_speaks_is_named(string configured, string served) =>
        Assert.StartsWith($"It answers at Luma:BaseAddress as {served} does, not as {configured}", (await CheckAsync(configured, served, "/api/v1")).Says, StringComparison.Ordinal);

    [Theory]
    [InlineData("relay", "/api/v2")]
    [InlineData("dream-machine", "/api/v2")]
    [InlineData("agents", "/api/v2")]
    [InlineData("new-api", "/api/v2")]
    [InlineData("piapi", "/api/v2")]
    [InlineData("relay", "")]
    [InlineData("dream-machine", "/nowhere")]
    [InlineData("agents", "/api/v1/generations")]
    public async Task A_wrong_version_or_path_is_bad_and_says_what_was_seen(string dialect, string path)
    {
        var (verdict, says) = await CheckAsync(dialect, dialect, path);

        Assert.Equal(Verdict.Bad, verdict);
        Assert.Contains("(404 with ", says, StringComparison.Ordinal);
        Assert.Contains("path and version in Luma:BaseAddress", says, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "<html>CANARY</html>", "404 with no JSON", true)]
    [InlineData(404, "{}", "404 with JSON of an unknown shape", true)]
    [InlineData(404, "[1]", "404 with JSON that is no object", true)]
    [InlineData(404, "{\"\\ud800\":1}", "404 with JSON of an unknown shape", true)]
    [InlineData(301, "", "301 with no JSON", true)]
    [InlineData(404, "{\"detail\":\"Not Found\"}", "404 with JSON that holds detail", true)]
    [InlineData(404, "{\"detail\":\"CANARY has no such task\"}", "404 with JSON that holds detail", false)]
    [InlineData(400, "{\"code\":\"task_not_exist\",\"message\":\"CANARY\"}", "400 with JSON that holds code, message", false)]
    [InlineData(200, "{\"status\":\"CANARY\"}", "200 with JSON of an unknown shape", true)]
    public async Task What_a_relay_may_or_may_not_have_said_is_told_without_its_words(int status, string body, string seen, bool isBad)
    {
        await using var upstream = await Loopback.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(body);
        });

        var (verdict, says) = await CheckAsync("relay", upstream.Address);

        Assert.Equal(isBad ? Verdict.Bad : Verdict.Unclear, verdict);
        Assert.Contains($"({seen})", says, StringComparison.Ordinal);
        Assert.DoesNotContain("CANARY", says, StringComparison.Ordinal);
    }

    private static async Task<(Verdict Verdict, string Says)> CheckAsync(string configured, string served, string path)
    {
        await using var upstream = await Loopback.StartAsync(context => AnswerAsync(context, served));
        return await CheckAsync(configured, upstream.Address + path);
    }

    private static async Task<(Verdict Verdict, string Says)> CheckAsync(string dialect, string address)
    {
        await using var gateway = new Gateway().To(address).With("Luma:Dialect", dialect).With("Luma:Retries", "0");
        return await gateway.Services.GetServices<IConnectionCheck>().Single(check => check.Name == "upstream").TryAsync();
    }

    /// <summary>As each kind answers below <c>/api/v1</c>, and elsewhere.</summary>
    private static Task AnswerAsync(HttpContext context, string kind)
    {
        var path = context.Request.Path.Value!;
        var isAllowed = kind is "piapi" ? context.Request.Headers["x-api-key"] == Gateway.Token : context.Request.Headers.Authorization == $"Bearer {Gateway.Token}";
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
