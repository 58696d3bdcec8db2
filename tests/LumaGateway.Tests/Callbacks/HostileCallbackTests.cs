using System.Text;
using LumaGateway.Callbacks;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Callbacks;

/// <summary>Malformed JSON in callbacks, and in creates to which the gateway adds a callback URL.</summary>
public sealed class HostileCallbackTests : IAsyncLifetime
{
    private const string Secret = "s3cret-of-the-callback";

    private readonly string _file = Path.GetTempFileName();
    private readonly List<byte[]> _received = [];
    private Loopback _upstream = null!;
    private Gateway _gateway = null!;

    public static TheoryData<string> Undecodable => new(
        """{"id":"\ud800"}""",
        """{"id":"g1\udc00"}""",
        """{"\ud800":1,"id":"g1"}""",
        """{"task_id":"\ud800"}""",
        """{"data":{"id":"\ud800"}}""",
        """{"\udfff":1,"data":{"\ud800":2,"task_id":"g1"}}""",
        "{\"id\":\"\u00ff\"}");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, Secret, TestContext.Current.CancellationToken);
        _upstream = await Loopback.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            _received.Add(body.ToArray());
            await context.Response.WriteAsync("{}");
        });
        _gateway = new Gateway().WithUpstream(_upstream.Address).With("Callbacks:SecretFile", _file).With("Callbacks:PublicUrl", "https://gateway.test");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        File.Delete(_file);
    }

    [Theory]
    [MemberData(nameof(Undecodable))]
    public async Task A_callback_with_undecodable_text_gets_204(string body)
    {
        using var upstream = _gateway.CreateCallerWithoutKey();

        // Latin-1 encodes a character above 127 as one byte, which is invalid UTF-8.
        using var response = await upstream.PostAsync($"/callbacks/luma/{Secret}", new ByteArrayContent(Encoding.Latin1.GetBytes(body)), TestContext.Current.CancellationToken);

        Assert.Equal(204, (int)response.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Undecodable))]
    public async Task A_create_with_undecodable_text_is_forwarded_with_a_callback_URL(string body)
    {
        var sent = Encoding.Latin1.GetBytes(body);
        using var caller = _gateway.CreateCaller();

        using var response = await caller.PostAsync("/luma/generations", new ByteArrayContent(sent), TestContext.Current.CancellationToken);

        Assert.Equal(200, (int)response.StatusCode);
        Assert.EndsWith(Encoding.Latin1.GetString(sent.AsSpan(1)), Encoding.Latin1.GetString(Assert.Single(_received)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"\ud800":1,"id":"g1"}""", "g1")]
    [InlineData("""{"id":"\ud800","task_id":"g2"}""", "g2")]
    [InlineData("""{"id":"\ud800","data":{"id":"g3"}}""", "g3")]
    [InlineData("""{"data":{"task_id":"g4"}}""", "g4")]
    [InlineData("""[{"id":"g5"}]""", null)]
    public void The_id_is_read_from_a_body_with_undecodable_members(string body, string? id) =>
        Assert.Equal(id, CallbackBody.ReadId(Encoding.UTF8.GetBytes(body))?.Value);
}
