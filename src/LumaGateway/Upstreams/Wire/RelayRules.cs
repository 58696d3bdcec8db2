namespace LumaGateway.Upstreams.Wire;

/// <summary>What differs between the dialects of the relay family.</summary>
/// <param name="Upstream">The upstream's API root: null if it is not known.</param>
/// <param name="PrefersStatus">True if <c>status</c> counts before <c>state</c> in the same object; false for the other order.</param>
/// <param name="MarksVideo">True if <c>video</c> always has a watermark.</param>
internal readonly record struct RelayRules(Uri? Upstream, bool PrefersStatus, bool MarksVideo)
{
    /// <summary>
    /// True if a link leads back to the upstream's API, which requires the upstream's token: it has the upstream's host and port and the first segment of its
    /// path. A signed link needs no token.
    /// </summary>
    public bool NeedsToken(string url)
    {
        if (Upstream is not { } upstream
            || !url.Contains(upstream.Host, StringComparison.OrdinalIgnoreCase)
            || !Uri.TryCreate(url, UriKind.Absolute, out var link)
            || !link.Host.Equals(upstream.Host, StringComparison.OrdinalIgnoreCase)
            || link.Port != upstream.Port)
        {
            return false;
        }

        return FirstSegment(upstream) is var api
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
