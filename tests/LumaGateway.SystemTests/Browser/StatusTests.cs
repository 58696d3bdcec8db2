using LumaGateway.SystemTests.Observability;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LumaGateway.SystemTests.Browser;

/// <summary>The status page in a real browser. Needs chromium, and redis-server or Garnet.</summary>
[Collection<UsesChromium>]
public sealed class StatusTests(Chromium chromium)
{
    [Fact]
    public async Task The_status_page_works_in_both_color_schemes_and_on_a_phone_and_requests_no_other_host()
    {
        await using var browser = await chromium.OpenAsync();
        await using var gateway = await MonitoredGateway.StartAsync();
        await gateway.GenerateTrafficAsync();
        var page = browser.Page;
        var consoleMessages = new List<string>();
        page.Console += (_, message) => consoleMessages.Add(message.Text);
        page.PageError += (_, error) => consoleMessages.Add(error);

        await page.GotoAsync(new Uri(gateway.Management, "/status").AbsoluteUri);

        await Expect(page.Locator("#clients")).ToContainTextAsync("system-tests");
        await Expect(page.Locator("#clients")).ToContainTextAsync("unknown");
        await Expect(page.Locator("#routes")).ToContainTextAsync("GET /generations/{id}");
        await Expect(page.Locator("#redis")).ToContainTextAsync("up");
        await Expect(page.Locator("#faults")).ToContainTextAsync("failed");
        Assert.Matches("[0-9a-f]{32}", await page.Locator("#faults code").First.InnerTextAsync());
        await Expect(page.Locator("#results tr").First).ToContainTextAsync("4");

        await gateway.RefuseTokenAsync();
        await Expect(page.Locator("#verdict")).ToContainTextAsync("refuses account sandbox");

        var light = await BackgroundAsync(page);
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        Assert.NotEqual(light, await BackgroundAsync(page));

        await page.SetViewportSizeAsync(360, 740);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than a phone.");

        gateway.Replica.Process.Kill();
        await Expect(page.Locator("#verdict")).ToContainTextAsync("does not respond");
        Assert.NotEmpty(browser.Requests);
        Assert.All(browser.Requests, request => Assert.Equal(gateway.Management.Authority, request.Authority));
        Assert.DoesNotContain(consoleMessages, message => message.Contains("Content Security Policy", StringComparison.Ordinal) || message.Contains("Uncaught", StringComparison.Ordinal));
    }

    private static Task<string> BackgroundAsync(IPage page) => page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
}
