using Microsoft.Playwright;

namespace LumaGateway.SystemTests.Browser;

/// <summary>The machine's own Chromium without a window, that remembers every address it asked for.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const string Program = "chromium";

    private static readonly string[] Quietly =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private readonly IPlaywright _driver;
    private readonly IBrowser _browser;
    private readonly List<string> _requests = [];

    private Chromium(IPlaywright driver, IBrowser browser, IPage page)
    {
        (_driver, _browser, Page) = (driver, browser, page);
        page.Request += (_, request) =>
        {
            lock (_requests)
            {
                _requests.Add(request.Url);
            }
        };
    }

    public IPage Page { get; }

    /// <summary>What was asked for so far, data: and blob: left out, which ask nobody.</summary>
    public IReadOnlyList<Uri> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests.Select(url => new Uri(url)).Where(url => url.Scheme is not ("data" or "blob"))];
            }
        }
    }

    public static async Task<Chromium> StartAsync()
    {
        Tool.Require(Program);
        var driver = await Playwright.CreateAsync();
        var browser = await driver.Chromium.LaunchAsync(new() { ExecutablePath = Tool.Find(Program), Args = Quietly });
        return new Chromium(driver, browser, await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1400, Height = 1600 } }));
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _driver.Dispose();
    }
}
