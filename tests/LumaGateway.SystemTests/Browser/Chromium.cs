using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LumaGateway.SystemTests.Browser;

/// <summary>The installed Chromium in headless mode, shared by all tests. The first page starts it. Thread-safe.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private const string Program = "chromium";

    private static readonly string[] Arguments =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>Opens a page in a new profile. Skips the running test if Chromium is not installed.</summary>
    internal async Task<BrowserPage> OpenAsync(BrowserNewPageOptions? options = null)
    {
        Tool.Require(Program);
        var (_, browser) = await _started.Value;
        var page = await browser.NewPageAsync(options ?? new() { ViewportSize = new() { Width = 1400, Height = 1600 } });
        page.SetDefaultTimeout((float)Wait.Timeout.TotalMilliseconds);
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
        SetDefaultExpectTimeout((float)Wait.Timeout.TotalMilliseconds);
        var driver = await Playwright.CreateAsync();
        return (driver, await driver.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Tool.Find(Program),
            Args = Arguments,
            Timeout = (float)Wait.Timeout.TotalMilliseconds,
        }));
    }
}

/// <summary>The test classes that share the <see cref="Chromium"/>.</summary>
[CollectionDefinition]
public sealed class UsesChromium : ICollectionFixture<Chromium>;
