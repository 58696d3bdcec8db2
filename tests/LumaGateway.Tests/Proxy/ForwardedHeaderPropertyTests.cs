using System.Text;
using CsCheck;
using LumaGateway.Proxy;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace LumaGateway.Tests.Proxy;

/// <summary>Properties of the headers that are forwarded, for any headers of a caller and of an upstream. Needs nothing.</summary>
public sealed class ForwardedHeaderPropertyTests
{
    private static readonly string[] ToUpstream =
    [
        "Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Content-Encoding", "Content-Length", "If-Match", "If-None-Match", "If-Modified-Since",
        "If-Unmodified-Since", "If-Range", "Range", "User-Agent",
    ];

    private static readonly string[] ToCaller =
    [
        "Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Range", "Content-Type", "Date", "ETag", "Expires",
        "Last-Modified", "Retry-After", "Vary", "retry-after-ms", "x-should-retry",
    ];

    private static readonly string[] Private =
    [
        "Authorization", "Proxy-Authorization", "X-Api-Key", "Cookie", "Set-Cookie", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Connection", "Keep-Alive", "TE",
        "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Expect", "Via", "Server", "WWW-Authenticate", "baggage", "tracestate", "X-Request-Id", "Idempotency-Key", "X-RateLimi", "X-RateLimit",
    ];

    private static readonly Gen<string> Name = Gen.OneOf(
        Gen.Int[0, ToUpstream.Length - 1].Select(index => ToUpstream[index]),
        Gen.Int[0, ToCaller.Length - 1].Select(index => ToCaller[index]),
        Gen.Int[0, Private.Length - 1].Select(index => Private[index]),
        Gen.String[Gen.Char["aZ09!#$%&'*+-.^_`|~"], 1, 8].Select(name => $"X-{name}"),
        Gen.String[Gen.Char["aZ09-"], 0, 6].Select(name => $"X-RateLimit-{name}"));

    private static readonly Gen<string> Value = Gen.OneOf(
        Gen.String[Gen.Char["aZ09 \t\",;=/*"], 0, 20],
        Gen.String[Gen.Char[(char)0, (char)0xFF], 0, 12],
        Gen.String[0, 12],
        Gen.Const("no-store"),
        Gen.Const("Bearer secret"));

    private static readonly Gen<(string Name, string[] Values)[]> Headers =
        Gen.Select(Gen.Select(Name, Gen.Bool, (name, isUpper) => isUpper ? name.ToUpperInvariant() : name), Value.Array[1, 3], (name, values) => (name, values)).Array[0, 10];

    [Fact]
    public void Only_allowed_headers_of_a_caller_reach_the_upstream_with_the_same_bytes() => PropertyCases.Check(
        Headers,
        headers =>
        {
            var caller = new DefaultHttpContext();
            foreach (var (name, values) in headers)
            {
                caller.Request.Headers[name] = name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) ? "7" : new StringValues(values);
            }

            using var upstream = new HttpRequestMessage();
            UpstreamTransformProvider.CopyRequestHeaders(new RequestTransformContext { HttpContext = caller, ProxyRequest = upstream });

            var sent = upstream.Headers.NonValidated.Concat(upstream.Content?.Headers.NonValidated ?? default).ToDictionary(header => header.Key, header => header.Value, StringComparer.OrdinalIgnoreCase);
            Assert.All(sent.Keys, name => Assert.Contains(name, ToUpstream, StringComparer.OrdinalIgnoreCase));
            Assert.All(sent.Values.SelectMany(values => values), AssertCanBeSent);
            foreach (var name in ToUpstream)
            {
                var expected = caller.Request.Headers[name].Select(value => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value!))).Where(CanBeSent);
                Assert.Equal(string.Concat(expected), sent.TryGetValue(name, out var values) ? string.Concat(values) : "");
            }
        },
        50_000);

    [Fact]
    public void Only_allowed_headers_of_the_upstream_reach_the_caller_and_no_shared_cache_may_store_them() => PropertyCases.Check(
        Headers,
        headers =>
        {
            using var upstream = new HttpResponseMessage { Content = new ByteArrayContent([]) };
            foreach (var (name, values) in headers)
            {
                if (!upstream.Headers.TryAddWithoutValidation(name, values))
                {
                    upstream.Content.Headers.TryAddWithoutValidation(name, values);
                }
            }

            var caller = new DefaultHttpContext();
            UpstreamTransformProvider.CopyResponseHeaders(upstream, caller.Response);

            Assert.All(caller.Response.Headers, header =>
            {
                Assert.True(
                    ToCaller.Contains(header.Key, StringComparer.OrdinalIgnoreCase) || header.Key.StartsWith("X-RateLimit-", StringComparison.OrdinalIgnoreCase), header.Key);
                Assert.All(header.Value, value => AssertCanBeSent(value!));
            });
            var cacheControl = caller.Response.Headers.CacheControl.ToString();
            Assert.True(cacheControl == "private, no-cache" || cacheControl.Contains("no-store", StringComparison.OrdinalIgnoreCase), cacheControl);
        },
        50_000);

    private static void AssertCanBeSent(string value) => Assert.True(CanBeSent(value), value);

    /// <summary>RFC 9110, section 5.5: visible characters, spaces, tabs and the bytes from 0x80.</summary>
    private static bool CanBeSent(string value) => value.All(character => character is '\t' or (>= ' ' and <= '\xFF' and not '\x7F'));
}
