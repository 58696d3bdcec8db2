using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LumaGateway.SystemTests.Browser;

/// <summary>Swagger UI in a real browser. Needs chromium.</summary>
[Collection<UsesChromium>]
public sealed partial class SwaggerTests(Chromium chromium, SharedSandbox shared)
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
        await AuthorizeAsync(page);

        await ExpectVideoAsync(page.Locator(".opblock-get#operations-Generations-GetGeneration"));
        await ExpectVideoAsync(page.Locator(".opblock-get").Filter(new() { HasText = "/luma/generations/{id}" })); // the key is sent there too

        Assert.NotEmpty(browser.Requests);
        Assert.All(browser.Requests, request => Assert.Equal(gateway.Address.Authority, request.Authority));
    }

    [Fact]
    public async Task A_person_creates_a_generation_waits_for_it_and_opens_its_video()
    {
        await using var browser = await chromium.OpenAsync();
        await using var sandbox = await SandboxProcess.StartAsync("--Sandbox:QueuedFor=00:00:00.5", "--Sandbox:ProcessingFor=00:00:00.5");
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(ReplicaGroup.SettingsFor(sandbox, redis: null))
        {
            ["Assets:AllowHttp"] = "true",
            ["Assets:AllowedHosts:0"] = sandbox.Address.Authority,
            ["Assets:AllowedNetworks:0"] = "127.0.0.0/8",
        });
        var page = browser.Page;
        await page.GotoAsync(new Uri(gateway.Address, "/swagger").AbsoluteUri);
        await AuthorizeAsync(page);
        await Expect(page.Locator(".opblock").First).ToHaveIdAsync("operations-Generations-CreateGeneration");

        // The body of the example is sent as it is.
        var create = page.Locator(".opblock-post#operations-Generations-CreateGeneration");
        await ExecuteAsync(create, prefer: null);
        await Expect(StatusOf(create)).ToContainTextAsync("201");
        var id = Id().Match(await create.Locator(".live-responses-table .response .response-col_description").InnerTextAsync()).Groups[1].Value;
        Assert.NotEqual("", id);

        var read = page.Locator(".opblock-get#operations-Generations-GetGeneration");
        await ExecuteAsync(read, prefer: "wait=50", id);
        await Expect(read.Locator(".live-responses-table .response .response-col_description")).ToContainTextAsync("\"completed\"");

        var video = page.Locator(".opblock-get#operations-Assets-GetVideo");
        await ExecuteAsync(video, prefer: null, id);
        await Expect(StatusOf(video)).ToContainTextAsync("200");
    }

    private static async Task AuthorizeAsync(IPage page)
    {
        await page.Locator("button.authorize").First.ClickAsync();
        var dialog = page.Locator(".dialog-ux");
        await dialog.GetByLabel("Value").First.FillAsync(GatewayProcess.ClientKey);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Authorize", Exact = true }).First.ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).First.ClickAsync();
    }

    private static ILocator StatusOf(ILocator operation) => operation.Locator(".live-responses-table .response .response-col_status");

    private static async Task ExecuteAsync(ILocator operation, string? prefer, string? id = null)
    {
        await operation.Locator(".opblock-summary-control").ClickAsync();
        await operation.GetByRole(AriaRole.Button, new() { Name = "Try it out" }).ClickAsync();
        if (id is not null)
        {
            await operation.GetByPlaceholder("id").FillAsync(id);
        }

        if (prefer is not null)
        {
            await operation.GetByPlaceholder("Prefer").FillAsync(prefer);
        }

        await operation.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();
    }

    [GeneratedRegex("\"id\": \"([^\"]+)\"")]
    private static partial Regex Id();

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
