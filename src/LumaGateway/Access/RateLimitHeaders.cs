using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Access;

/// <summary>
/// The response headers <c>RateLimit-Policy</c> and <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers-10) of one pair of rate and burst. The policy's quota is the
/// burst, and its window the time in which an empty bucket becomes full. Texts are created once for each number of tokens, so that a cache hit allocates nothing; above
/// 100 the number is rounded down to two digits, which bounds their count. Thread-safe.
/// </summary>
internal sealed class RateLimitHeaders
{
    public const string PolicyName = "RateLimit-Policy";

    public const string LimitName = "RateLimit";

    private const int Exact = 100;
    private const int PerDecade = 90;

    private readonly int _perSecond;
    private readonly int _burst;
    private readonly StringValues _policy;
    private readonly string?[] _limits;

    public RateLimitHeaders(int perSecond, int burst)
    {
        (_perSecond, _burst) = (perSecond, burst);
        _policy = string.Create(CultureInfo.InvariantCulture, $"\"requests\";q={burst};w={SecondsOf(burst)}");
        _limits = new string?[Round(burst, out _) + 1];
    }

    /// <summary>Sets both headers.</summary>
    /// <param name="headers">The headers of the response.</param>
    /// <param name="tokens">The tokens in the client's bucket.</param>
    public void Set(IHeaderDictionary headers, int tokens)
    {
        var index = Round(Math.Clamp(tokens, 0, _burst), out var rounded);
        headers[PolicyName] = _policy;
        headers[LimitName] = _limits[index] ??= string.Create(CultureInfo.InvariantCulture, $"\"requests\";r={rounded};t={SecondsOf(_burst - rounded)}");
    }

    private long SecondsOf(int tokens) => (tokens + (long)_perSecond - 1) / _perSecond;

    /// <summary>Returns the index of the text for a number of tokens, and the number that the text contains.</summary>
    private static int Round(int tokens, out int rounded)
    {
        var (digits, scale, index) = (tokens, 1, tokens);
        for (var start = Exact; digits >= Exact; start += PerDecade)
        {
            digits /= 10;
            scale *= 10;
            index = start + digits - 10;
        }

        rounded = digits * scale;
        return index;
    }
}
