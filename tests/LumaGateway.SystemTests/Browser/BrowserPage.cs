using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace LumaGateway.SystemTests.Browser;

/// <summary>A page of the <see cref="Chromium"/> that remembers every address it asked for. Closed with its profile when it is disposed of.</summary>
internal sealed class BrowserPage : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _requests = new();

    public BrowserPage(IPage page)
    {
        Page = page;
        page.Request += (_, request) => _requests.Enqueue(request.Url);
    }

    public IPage Page { get; }

    /// <summary>What was asked for so far, data: and blob: left out, which ask nobody.</summary>
    public IReadOnlyList<Uri> Requests => [.. _requests.Select(url => new Uri(url)).Where(url => url.Scheme is not ("data" or "blob"))];

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}
