using System.Text.Json;
using LumaGateway.SystemTests.Observability;
using LumaGateway.SystemTests.Sdk;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LumaGateway.SystemTests.Browser;

/// <summary>The pages for people, tested with axe on a phone and on a desktop, in both color schemes. Needs chromium, node, npm, and redis-server or Garnet.</summary>
[Collection<UsesChromium>]
public sealed class AccessibilityTests(Chromium chromium)
{
    private const int PhoneWidth = 375;

    /// <summary>The largest height of an open operation on a phone, in pixels. It was 4,762 before its examples were collapsed.</summary>
    private const int MaxOperationHeight = 4500;

    [Fact]
    public async Task The_pages_have_no_violation_and_fit_a_phone()
    {
        var axe = await File.ReadAllTextAsync(Path.Combine(await NpmPackages.InstallAsync(), "node_modules/axe-core/axe.min.js"), TestContext.Current.CancellationToken);
        await using var gateway = await MonitoredGateway.StartAsync();
        await gateway.GenerateTrafficAsync();

        foreach (var (width, scheme) in new[] { (PhoneWidth, ColorScheme.Light), (PhoneWidth, ColorScheme.Dark), (1280, ColorScheme.Light), (1280, ColorScheme.Dark) })
        {
            await using var browser = await chromium.OpenAsync(new() { ViewportSize = new() { Width = width, Height = 800 }, ColorScheme = scheme, BypassCSP = true, IsMobile = width == PhoneWidth });
            var page = browser.Page;

            await page.GotoAsync(gateway.Replica.Address.AbsoluteUri);
            await CheckAsync("/");

            await page.GotoAsync(new Uri(gateway.Management, "/status").AbsoluteUri);
            await Expect(page.Locator("#routes")).ToContainTextAsync("GET /generations/{id}");
            Assert.DoesNotContain("(none)", await page.InnerTextAsync("main"), StringComparison.Ordinal);
            await CheckAsync("/status");

            await page.GotoAsync(new Uri(gateway.Replica.Address, "/swagger").AbsoluteUri);
            await OpenAsync(page.Locator(".opblock-get#operations-Generations-GetGeneration"));
            await OpenAsync(page.Locator(".opblock-post").First);
            await Expect(page.Locator(".opblock.is-open .example-toggle").First).ToBeVisibleAsync();
            await CheckAsync("/swagger");
            var heights = await page.EvaluateAsync<int[]>("[...document.querySelectorAll('.opblock')].map(operation => operation.offsetHeight)");
            Assert.True(heights.Max() < MaxOperationHeight, $"An operation is {heights.Max()} pixels high at {width}.");

            var operation = page.Locator(".opblock-get#operations-Generations-GetGeneration");
            await operation.GetByRole(AriaRole.Button, new() { Name = "Try it out" }).ClickAsync();
            await operation.GetByPlaceholder("id").FillAsync(SandboxProcess.SampleId);
            await operation.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();
            await Expect(operation.Locator(".live-responses-table .response .response-col_status")).ToBeVisibleAsync();
            await CheckAsync("/swagger with a response");

            await page.Locator("button.authorize").First.ClickAsync();
            await Expect(page.Locator(".dialog-ux")).ToBeVisibleAsync();
            await CheckAsync("/swagger with its dialog");

            async Task CheckAsync(string name)
            {
                Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), $"{name} is wider than {width}.");
                await page.AddScriptTagAsync(new() { Content = axe });
                var violations = await page.EvaluateAsync<JsonElement>(
                    "axe.run().then(result => result.violations.map(found => ({ id: found.id, nodes: found.nodes.slice(0, 3).map(node => node.html) })))");
                Assert.True(violations.GetArrayLength() == 0, $"{name} at {width}, {scheme}: {violations}");
            }
        }
    }

    [Fact]
    public async Task The_example_of_a_problem_is_shown_on_demand_and_no_header_is_prefilled()
    {
        await using var gateway = await MonitoredGateway.StartAsync();
        await using var browser = await chromium.OpenAsync();
        var page = browser.Page;
        await page.GotoAsync(new Uri(gateway.Replica.Address, "/swagger").AbsoluteUri);
        var operation = page.Locator(".opblock-get#operations-Generations-GetGeneration");
        await OpenAsync(operation);
        var problem = operation.Locator(".response[data-code='404']");

        await Expect(problem.Locator(".model-example")).ToBeHiddenAsync();
        await problem.GetByRole(AriaRole.Button, new() { Name = "Example of 404" }).ClickAsync();
        await Expect(problem.Locator(".model-example")).ToContainTextAsync("generation_not_found");

        await operation.GetByRole(AriaRole.Button, new() { Name = "Try it out" }).ClickAsync();
        await Expect(operation.GetByPlaceholder("Prefer")).ToHaveValueAsync("");
    }

    private static Task OpenAsync(ILocator operation) => operation.Locator(".opblock-summary-control").ClickAsync();
}
