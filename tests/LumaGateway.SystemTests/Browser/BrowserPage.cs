using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace LumaGateway.SystemTests.Browser;

/// <summary>A page of <see cref="Chromium"/> that records the addresses of its requests. Disposal closes the page and its profile.</summary>
internal sealed class BrowserPage : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _requests = new();

    public BrowserPage(IPage page)
    {
        Page = page;
        page.Request += (_, request) => _requests.Enqueue(request.Url);
    }

    public IPage Page { get; }

    /// <summary>The addresses that were requested so far, without data: and blob: URLs, which send no request.</summary>
    public IReadOnlyList<Uri> Requests => [.. _requests.Select(url => new Uri(url)).Where(url => url.Scheme is not ("data" or "blob"))];

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}
