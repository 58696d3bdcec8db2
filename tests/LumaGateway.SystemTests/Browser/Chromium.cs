using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LumaGateway.SystemTests.Browser;

/// <summary>The machine's own Chromium without a window, one for all tests, started when the first one opens a page. Thread-safe.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private const string Program = "chromium";

    private static readonly string[] Quietly =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>A page of its own, in a profile of its own. Skips the running test where the machine has no Chromium.</summary>
    internal async Task<BrowserPage> OpenAsync()
    {
        Tool.Require(Program);
        var (_, browser) = await _started.Value;
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = 1400, Height = 1600 } });
        page.SetDefaultTimeout((float)Wait.Patience.TotalMilliseconds);
        return new BrowserPage(page);
    }

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
        {
            var (driver, browser) = await _started.Value;
            await browser.CloseAsync();
            driver.Dispose();
        }
    }

    private static async Task<(IPlaywright Driver, IBrowser Browser)> StartAsync()
    {
        SetDefaultExpectTimeout((float)Wait.Patience.TotalMilliseconds);
        var driver = await Playwright.CreateAsync();
        return (driver, await driver.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Tool.Find(Program),
            Args = Quietly,
            Timeout = (float)Wait.Patience.TotalMilliseconds,
        }));
    }
}

/// <summary>The test classes that share the <see cref="Chromium"/>.</summary>
[CollectionDefinition]
public sealed class UsesChromium : ICollectionFixture<Chromium>;
