using System.Buffers;

namespace LumaGateway.Upstreams.Wire;

/// <summary>What differs between the dialects of the relay family. Thread-safe.</summary>
/// <param name="upstream">The upstream's API root: null if it is not known.</param>
/// <param name="prefersStatus">See <see cref="PrefersStatus"/>.</param>
/// <param name="marksVideo">See <see cref="MarksVideo"/>.</param>
internal sealed class RelayRules(Lazy<Uri>? upstream, bool prefersStatus, bool marksVideo)
{
    private readonly Lazy<SearchValues<string>>? _host =
        upstream is { } root ? new(() => SearchValues.Create([root.Value.Host], StringComparison.OrdinalIgnoreCase)) : null;

    /// <summary>True if <c>status</c> counts before <c>state</c> in the same object; false for the other order.</summary>
    public bool PrefersStatus => prefersStatus;

    /// <summary>True if <c>video</c> always has a watermark.</summary>
    public bool MarksVideo => marksVideo;

    /// <summary>
    /// True if a link leads back to the upstream's API, which requires the upstream's token: it has the upstream's host and port and the first segment of its
    /// path. A signed link needs no token.
    /// </summary>
    public bool NeedsToken(string url)
    {
        if (upstream?.Value is not { } root
            || !url.AsSpan().ContainsAny(_host!.Value) // almost no link contains the host, and parsing a link is slow
            || !Uri.TryCreate(url, UriKind.Absolute, out var link)
            || !link.Host.Equals(root.Host, StringComparison.OrdinalIgnoreCase)
            || link.Port != root.Port)
        {
            return false;
        }

        return FirstSegment(root) is var api
            && (api.IsEmpty || api.Equals(FirstSegment(link), StringComparison.Ordinal))
            && !SignedUrl.IsSigned(url);
    }

    private static ReadOnlySpan<char> FirstSegment(Uri address)
    {
        var path = address.AbsolutePath.AsSpan().TrimStart('/');
        var end = path.IndexOf('/');
        return end < 0 ? path : path[..end];
    }
}
