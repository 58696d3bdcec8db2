using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LumaGateway.SystemTests.Browser;

/// <summary>Swagger UI in a real browser. Needs chromium.</summary>
[Collection<UsesChromium>]
public sealed class SwaggerTests(Chromium chromium, SharedSandbox shared)
{
    [Fact]
    public async Task Swagger_UI_sends_the_client_key_shows_the_generation_and_requests_no_other_host()
    {
        await using var browser = await chromium.OpenAsync();
        var settings = ReplicaGroup.SettingsFor(await shared.GetAsync(), redis: null);
        settings["Access:AllowAnonymous"] = "false";
        await using var gateway = await GatewayProcess.StartAsync(settings);
        var page = browser.Page;

        await page.GotoAsync(new Uri(gateway.Address, "/swagger").AbsoluteUri);
        await page.Locator("button.authorize").First.ClickAsync();
        var dialog = page.Locator(".dialog-ux");
        await dialog.GetByLabel("Value").First.FillAsync(GatewayProcess.ClientKey);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Authorize", Exact = true }).First.ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).First.ClickAsync();

        await ExpectVideoAsync(page.Locator(".opblock-get#operations-Generations-GetGeneration"));
        await ExpectVideoAsync(page.Locator(".opblock-get").Filter(new() { HasText = "/luma/generations/{id}" })); // the key is sent there too

        Assert.NotEmpty(browser.Requests);
        Assert.All(browser.Requests, request => Assert.Equal(gateway.Address.Authority, request.Authority));
    }

    private static async Task ExpectVideoAsync(ILocator operation)
    {
        await operation.Locator(".opblock-summary-control").ClickAsync();
        await operation.GetByRole(AriaRole.Button, new() { Name = "Try it out" }).ClickAsync();
        await operation.GetByPlaceholder("id").FillAsync(SandboxProcess.SampleId);
        await operation.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();

        var response = operation.Locator(".live-responses-table .response");
        await Expect(response.Locator(".response-col_status")).ToContainTextAsync("200");
        await Expect(response.Locator(".response-col_description")).ToContainTextAsync("https://storage.cdn-luma.com/dream-machine/");
        await Expect(response.Locator(".response-col_description")).ToContainTextAsync(".mp4");
    }
}
