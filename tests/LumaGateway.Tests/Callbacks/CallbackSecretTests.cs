using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Callbacks;

/// <summary>The callback URL that the upstream gets contains a token, not the secret.</summary>
public sealed partial class CallbackSecretTests : IAsyncLifetime
{
    private const string Secret = "s3cret-of-the-callback";
    private const string NextSecret = "another-secret-for-later";

    private readonly string _file = Path.GetTempFileName();
    private readonly List<string> _received = [];
    private Func<HttpContext, string, Task> _respond = (context, _) => context.Response.WriteAsync("{}");
    private Loopback _upstream = null!;
    private Gateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, Secret, TestContext.Current.CancellationToken);
        _upstream = await Loopback.StartAsync(async context =>
        {
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync(context.RequestAborted);
            _received.Add(body);
            await _respond(context, CallbackUrl().Match(body).Value);
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
    [InlineData(200, "application/json", "{\"id\":\"g1\",\"request\":{\"callback_url\":\"URL\"}}", false)]
    [InlineData(422, "application/json", "{\"detail\":[{\"loc\":[\"body\",\"callback_url\"],\"input\":\"URL\"}]}", false)]
    [InlineData(400, "application/json", "{\"detail\":\"cannot reach URL\"}", false)]
    [InlineData(422, "text/plain", "cannot reach URL", false)]
    [InlineData(200, "application/json", "{\"request\":\"{\\\"callback_url\\\":\\\"URL\\\"}\"}", false)]
    [InlineData(500, "text/html", "<p>URL</p>", false)]
    [InlineData(200, "application/json", "{\"request\":{\"callback_url\":\"URL\"}}", true)]
    public async Task An_upstream_response_that_echoes_the_callback_URL_does_not_contain_the_secret(int status, string type, string body, bool isCompressed)
    {
        _respond = (context, url) =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            var echo = Encoding.UTF8.GetBytes(body.Replace("URL", url, StringComparison.Ordinal));
            if (isCompressed)
            {
                context.Response.Headers.ContentEncoding = "gzip";
                echo = Compress(echo);
            }

            return context.Response.Body.WriteAsync(echo).AsTask();
        };

        using var response = await CreateAsync();

        var received = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        var text = Encoding.UTF8.GetString(isCompressed ? Decompress(received) : received);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains("https://gateway.test/callbacks/luma/", Assert.Single(_received), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, _received[0], StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_create_has_its_own_callback_URL_which_every_replica_accepts()
    {
        using var first = await CreateAsync();
        using var second = await CreateAsync();
        var addresses = _received.Select(body => CallbackUrl().Match(body).Value).ToList();
        await using var replica = new Gateway().With("Callbacks:SecretFile", _file);

        Assert.Equal(2, addresses.Distinct().Count());
        Assert.All(addresses, address => Assert.Matches("/[A-Za-z0-9_-]{38}$", address));
        foreach (var address in addresses)
        {
            Assert.Equal((204, 204), (await SendCallbackAsync(_gateway, address), await SendCallbackAsync(replica, address)));
        }
    }

    [Fact]
    public async Task A_callback_URL_is_valid_for_a_day()
    {
        using var create = await CreateAsync();
        var address = CallbackUrl().Match(_received[0]).Value;

        _gateway.Clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(204, await SendCallbackAsync(_gateway, address));
        _gateway.Clock.Advance(TimeSpan.FromHours(3));
        Assert.Equal(404, await SendCallbackAsync(_gateway, address));
    }

    [Fact]
    public async Task A_callback_URL_is_valid_while_its_secret_is_in_the_file()
    {
        using var create = await CreateAsync();
        var address = CallbackUrl().Match(_received[0]).Value;

        await RotateAsync($"{NextSecret}\n{Secret}\n");
        Assert.Equal(204, await SendCallbackAsync(_gateway, address));
        await RotateAsync(NextSecret);
        Assert.Equal(404, await SendCallbackAsync(_gateway, address));
    }

    [Fact]
    public async Task A_changed_callback_URL_is_invalid()
    {
        using var create = await CreateAsync();
        var address = CallbackUrl().Match(_received[0]).Value;
        var start = address.LastIndexOf('/') + 1;

        for (var at = start; at < address.Length - 1; at++) // the last Base64 character has unused bits
        {
            var changed = address.ToCharArray();
            changed[at] = changed[at] is 'A' ? 'B' : 'A';
            Assert.Equal(404, await SendCallbackAsync(_gateway, new string(changed)));
        }

        Assert.Equal(404, await SendCallbackAsync(_gateway, address[..^1]));
        Assert.Equal(404, await SendCallbackAsync(_gateway, address + "A"));
    }

    private static byte[] Compress(byte[] plain)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionMode.Compress))
        {
            gzip.Write(plain);
        }

        return compressed.ToArray();
    }

    private static byte[] Decompress(byte[] compressed)
    {
        using var plain = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private static async Task<int> SendCallbackAsync(Gateway gateway, string address)
    {
        using var upstream = gateway.CreateCallerWithoutKey();
        using var response = await upstream.PostAsync(
            new Uri(address).AbsolutePath, new StringContent("""{"id":"g1"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    private async Task RotateAsync(string content)
    {
        var reloads = CountReloads();
        await File.WriteAllTextAsync(_file, content, TestContext.Current.CancellationToken);
        await Poll.UntilAsync(() =>
        {
            _gateway.Clock.Advance(TimeSpan.FromSeconds(2));
            return CountReloads() > reloads;
        });
    }

    private int CountReloads() => _gateway.Logs.GetSnapshot().Count(record => record.Id.Id == 4401);

    private async Task<HttpResponseMessage> CreateAsync()
    {
        using var caller = _gateway.CreateCaller();
        return await caller.PostAsync(
            "/luma/generations", new StringContent("""{"prompt":"cat"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
    }

    [GeneratedRegex("https://gateway[.]test/callbacks/luma/[^\"]+")]
    private static partial Regex CallbackUrl();
}
