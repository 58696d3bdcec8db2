using System.Net;
using System.Text;
using LumaGateway.Redis;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Configuration;

/// <summary>Values that can be read but not used, such as a relative URL.</summary>
public sealed class UnusableValueTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("redis://redis", "redis", 6379, null, null, null, false)]
    [InlineData("redis://redis:7000", "redis", 7000, null, null, null, false)]
    [InlineData("rediss://redis.test:6380/", "redis.test", 6380, null, null, null, true)]
    [InlineData("redis://:p%40ss%2Cword@redis/3", "redis", 6379, null, "p@ss,word", 3, false)]
    [InlineData("rediss://user:secret@redis/0", "redis", 6379, "user", "secret", 0, true)]
    [InlineData("REDIS://redis", "redis", 6379, null, null, null, false)]
    public void A_Redis_URL_is_parsed(string url, string host, int port, string? user, string? password, int? database, bool isTls)
    {
        var read = new RedisOptions { Redis = url }.Parse();

        Assert.Equal(new DnsEndPoint(host, port), Assert.Single(read.EndPoints));
        Assert.Equal((user, password, database, isTls), (read.User, read.Password, read.DefaultDatabase, read.Ssl));
        Assert.False(read.AbortOnConnectFail);
    }

    [Theory]
    [InlineData("redis://[::1]:7000")]
    [InlineData("redis://127.0.0.1:7000")]
    public void A_Redis_URL_can_contain_an_IP_address(string url) => Assert.Equal(7000, Assert.IsType<IPEndPoint>(Assert.Single(new RedisOptions { Redis = url }.Parse().EndPoints)).Port);

    [Fact]
    public void A_connection_string_with_a_URL_as_password_is_not_a_URL() =>
        Assert.Equal("a://b", new RedisOptions { Redis = "redis:6379,password=a://b" }.Parse().Password);

    [Theory]
    [InlineData("ConnectionStrings:Redis", "redis://")]
    [InlineData("ConnectionStrings:Redis", "redis:///0")]
    [InlineData("ConnectionStrings:Redis", "redis://a:6379,b:6379")]
    [InlineData("ConnectionStrings:Redis", "redis://CANARY@redis")]
    [InlineData("ConnectionStrings:Redis", "redis://:CANARY@redis/cache")]
    [InlineData("ConnectionStrings:Redis", "redis://redis?password=CANARY")]
    [InlineData("ConnectionStrings:Redis", "tcp://redis:6379")]
    [InlineData("ConnectionStrings:Redis", "redis-sentinel://a:26379/luma")]
    [InlineData("ConnectionStrings:Redis", "http://redis:6379")]
    [InlineData("ConnectionStrings:Redis", "redis/0:6379")]
    [InlineData("ConnectionStrings:Redis", "redis 6379")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "foo")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "grpc://collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "/v1/logs")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")]
    [InlineData("OTEL_TRACES_SAMPLER", "sometimes")]
    [InlineData("OTEL_TRACES_SAMPLER_ARG", "10")]
    [InlineData("OTEL_TRACES_SAMPLER_ARG", "0,1")]
    [InlineData("OTEL_TRACES_SAMPLER_ARG", "-0.1")]
    [InlineData("OTEL_TRACES_SAMPLER_ARG", "NaN")]
    [InlineData("Passthrough:MaxStoredBytes", "33554431")]
    [InlineData("Luma:BaseAddress", "http://api.lumalabs.ai/dream-machine/v1")]
    [InlineData("Luma:BaseAddress", "http://8.8.8.8/luma")]
    [InlineData("Luma:BaseAddress", "http://[2606:4700::1111]/luma")]
    [InlineData("Luma:BaseAddress", "http://172.32.0.1/luma")]
    [InlineData("Luma:BaseAddress", "http://localhost.evil.example/luma")]
    public void An_unusable_value_stops_the_start_with_its_key(string key, string value)
    {
        using var gateway = new Gateway().With("Luma:Name", "account").With(key, value);

        Assert.ThrowsAny<Exception>(gateway.CreateCaller);

        var fault = Assert.Single(gateway.StartFaults);
        Assert.StartsWith(key, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("CANARY", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1/luma", null)]
    [InlineData("http://10.1.2.3/luma", null)]
    [InlineData("http://[fd00::1]/luma", null)]
    [InlineData("http://relay:8080/luma", null)]
    [InlineData("http://relay.media.svc.cluster.local/luma", null)]
    [InlineData("http://relay.media.svc/luma", null)]
    [InlineData("http://relay.example.com/luma", "true")]
    public void Plain_http_is_allowed_for_private_hosts_and_with_AllowHttp(string address, string? allow)
    {
        using var gateway = new Gateway().With("Luma:BaseAddress", address).With("Luma:AllowHttp", allow);
        using var caller = gateway.CreateCaller();

        Assert.Empty(gateway.StartFaults);
    }

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public async Task A_byte_order_mark_is_not_part_of_a_token_or_secret(string encoding)
    {
        var marked = Encoding.GetEncoding(encoding);
        await File.WriteAllBytesAsync(_file, [.. marked.GetPreamble(), .. marked.GetBytes("token-in-the-file\n")], TestContext.Current.CancellationToken);
        await using var gateway = new Gateway().With("Luma:ApiKey", null).With("Luma:ApiKeyFile", _file).With("Callbacks:SecretFile", _file);
        using var client = gateway.CreateCallerWithoutKey();

        using var response = await client.PostAsync("/callbacks/luma/token-in-the-file", new StringContent("{}"), TestContext.Current.CancellationToken);

        Assert.Equal("token-in-the-file", gateway.Services.GetRequiredService<UpstreamAccounts>().First.Tokens.Current.Primary);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }
}
