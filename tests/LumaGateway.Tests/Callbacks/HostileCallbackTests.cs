using System.Text;
using LumaGateway.Callbacks;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Callbacks;

/// <summary>JSON of strangers, in callbacks and in creates that a callback address is put into.</summary>
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
        _gateway = new Gateway().To(_upstream.Address).With("Callbacks:SecretFile", _file).With("Callbacks:PublicUrl", "https://gateway.test");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        File.Delete(_file);
    }

    [Theory]
    [MemberData(nameof(Undecodable))]
    public async Task A_callback_whose_text_cannot_be_decoded_is_taken_and_forgotten(string body)
    {
        using var stranger = _gateway.CreateStranger();

        // In Latin-1 a character over 127 is a byte that is no UTF-8.
        using var response = await stranger.PostAsync($"/callbacks/luma/{Secret}", new ByteArrayContent(Encoding.Latin1.GetBytes(body)), TestContext.Current.CancellationToken);

        Assert.Equal(204, (int)response.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Undecodable))]
    public async Task A_create_whose_text_cannot_be_decoded_passes_with_our_callback(string body)
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
    public void The_id_is_found_beside_what_cannot_be_decoded(string body, string? id) =>
        Assert.Equal(id, CallbackBody.IdIn(Encoding.UTF8.GetBytes(body))?.Value);
}
