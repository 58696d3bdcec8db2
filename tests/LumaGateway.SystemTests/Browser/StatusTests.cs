using LumaGateway.SystemTests.Observability;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LumaGateway.SystemTests.Browser;

/// <summary>The page for people, in a real browser. Needs chromium, and redis-server or Garnet.</summary>
[Collection<UsesChromium>]
public sealed class StatusTests(Chromium chromium)
{
    [Fact]
    public async Task The_page_shows_what_happens_by_day_and_night_on_desk_and_phone_and_asks_nobody_else()
    {
        await using var browser = await chromium.OpenAsync();
        await using var gateway = await WatchedGateway.StartAsync();
        await gateway.GiveItALifeAsync();
        var page = browser.Page;
        var complaints = new List<string>();
        page.Console += (_, message) => complaints.Add(message.Text);
        page.PageError += (_, error) => complaints.Add(error);

        await page.GotoAsync(new Uri(gateway.Management, "/status").AbsoluteUri);

        await Expect(page.Locator("#clients")).ToContainTextAsync("system-tests");
        await Expect(page.Locator("#clients")).ToContainTextAsync("unknown");
        await Expect(page.Locator("#routes")).ToContainTextAsync("GET /generations/{id}");
        await Expect(page.Locator("#redis")).ToContainTextAsync("up");
        await Expect(page.Locator("#faults")).ToContainTextAsync("failed");
        Assert.Matches("[0-9a-f]{32}", await page.Locator("#faults code").First.InnerTextAsync());
        await Expect(page.Locator("#answers tr").First).ToContainTextAsync("4");

        await gateway.RefuseTokenAsync();
        await Expect(page.Locator("#verdict")).ToContainTextAsync("refuses our account");

        var day = await ColourAsync(page);
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        Assert.NotEqual(day, await ColourAsync(page));

        await page.SetViewportSizeAsync(360, 740);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than a phone.");

        gateway.Replica.Process.Kill();
        await Expect(page.Locator("#verdict")).ToContainTextAsync("does not answer");
        Assert.NotEmpty(browser.Requests);
        Assert.All(browser.Requests, request => Assert.Equal(gateway.Management.Authority, request.Authority));
        Assert.DoesNotContain(complaints, complaint => complaint.Contains("Content Security Policy", StringComparison.Ordinal) || complaint.Contains("Uncaught", StringComparison.Ordinal));
    }

    private static Task<string> ColourAsync(IPage page) => page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
}
