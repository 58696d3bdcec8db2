using System.Net;
using System.Text.RegularExpressions;
using LumaGateway.Hosting;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

public sealed partial class KeyCommandTests
{
    [Fact]
    public async Task The_printed_key_is_valid_with_the_printed_setting()
    {
        var printed = Print();
        var key = KeyPattern().Match(printed).Value;
        var digest = DigestPattern().Match(printed).Groups[1].Value;
        await using var gateway = new Gateway().With("Access:Clients:0:KeySha256", digest);
        gateway.Upstream.ThenJson(Samples.Failed("g1"));
        using var client = gateway.CreateCallerWithoutKey();
        client.DefaultRequestHeaders.Authorization = new("Bearer", key);

        using var response = await client.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public void Keys_are_unique() => Assert.NotEqual(Print(), Print());

    private static string Print()
    {
        using var output = new StringWriter();
        KeyCommand.Run(output);
        return output.ToString();
    }

    [GeneratedRegex("lgk_[A-Za-z0-9_-]{43}")]
    private static partial Regex KeyPattern();

    [GeneratedRegex("Access__Clients__0__KeySha256=([0-9a-f]{64})")]
    private static partial Regex DigestPattern();
}
