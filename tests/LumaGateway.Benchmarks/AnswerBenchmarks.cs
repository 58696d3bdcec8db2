using BenchmarkDotNet.Attributes;
using LumaGateway.Caching;
using LumaGateway.Generations;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Benchmarks;

/// <summary>From a hit to the response: headers, the comparison of ETags, the body. The server's own part is ASP.NET Core's stand-in for tests.</summary>
public class AnswerBenchmarks
{
    private static readonly CacheResult Hit = new(Pieces.Entry(), CacheStatus.Hit, CacheTier.Memory);

    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly DefaultHttpContext _context = new();

    [Params("none", "same", "list without it")]
    public string IfNoneMatch { get; set; } = "";

    [GlobalSetup]
    public void Ask() => _context.Request.Headers.IfNoneMatch = IfNoneMatch switch
    {
        "same" => Hit.Entry!.ETag,
        "list without it" => "\"a\", W/\"b\", \"c\"",
        _ => default,
    };

    [Benchmark]
    public Task Answer()
    {
        _context.Response.Headers.Clear();
        return GenerationResponse.WriteAsync(_context, Hit, _now);
    }
}
