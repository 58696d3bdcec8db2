using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.SystemTests.Browser;

/// <summary>A page of another origin in a real browser: CORS and tickets. Needs chromium.</summary>
[Collection<UsesChromium>]
public sealed class CrossOriginTests(Chromium chromium)
{
    private const string Id = "cross-origin-1";

    /// <summary>Records a clip of half a second from a canvas, and returns it in base64.</summary>
    private const string RecordClip =
        """
        async () => {
          const canvas = document.createElement("canvas");
          const context = canvas.getContext("2d");
          let frame = 0;
          const timer = setInterval(() => { context.fillStyle = ["red", "green", "blue"][frame++ % 3]; context.fillRect(0, 0, 300, 150); }, 50);
          const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm;codecs=vp8" });
          const parts = [];
          recorder.ondataavailable = part => parts.push(part.data);
          const stopped = new Promise(resolve => recorder.onstop = resolve);
          recorder.start();
          setTimeout(() => recorder.stop(), 500);
          await stopped;
          clearInterval(timer);
          const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
          return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
        }
        """;

    /// <summary>Loads an element. Returns its width in pixels; 0 if it fails.</summary>
    private const string Load =
        """
        ([name, url]) => new Promise(resolve => {
          const element = document.createElement(name);
          element.onloadeddata = () => resolve(element.videoWidth);
          element.onload = () => resolve(element.naturalWidth);
          element.onerror = () => resolve(0);
          element.src = url;
          document.body.append(element);
        })
        """;

    /// <summary>Reads a stream of events until the generation is completed or the stream fails.</summary>
    private const string Follow =
        """
        url => new Promise(resolve => {
          const states = [];
          const events = new EventSource(url);
          const end = state => { states.push(state); if (state !== "processing") { events.close(); resolve(states); } };
          events.addEventListener("generation", event => end(JSON.parse(event.data).state));
          events.onerror = () => end("error " + events.readyState);
        })
        """;

    /// <summary>Sends a request with a client key, which needs a preflight request.</summary>
    private const string Fetch =
        """
        async ([url, key]) => {
          const response = await fetch(url, { headers: { "X-Api-Key": key, Prefer: "wait=0" } }).catch(() => null);
          return response === null ? ["blocked"] : [String(response.status), response.headers.get("ETag") ?? "", response.headers.get("X-Request-Id") ?? "", (await response.json()).id];
        }
        """;

    private int _reads;
    private byte[] _clip = [];

    [Fact]
    public async Task A_page_of_an_allowed_origin_follows_a_generation_and_shows_its_files_with_a_ticket_and_another_page_cannot()
    {
        await using var browser = await chromium.OpenAsync();
        await using var allowed = await Loopback.StartAsync(SendPageAsync);
        await using var other = await Loopback.StartAsync(SendPageAsync);
        await using var cdn = await Loopback.StartAsync(SendFileAsync);
        await using var upstream = await Loopback.StartAsync(context => SendGenerationAsync(context, cdn.Address));
        await using var gateway = await GatewayProcess.StartAsync(SettingsFor(upstream, cdn, allowed.Address));
        var page = browser.Page;
        var refused = new List<string>();
        page.Console += (_, message) => refused.Add(message.Text);
        var files = $"{gateway.Address}generations/{Id}";
        var ticket = await TicketAsync(gateway);

        await page.GotoAsync(allowed.Address);
        _clip = Convert.FromBase64String(await page.EvaluateAsync<string>(RecordClip));
        var states = await page.EvaluateAsync<string[]>(Follow, $"{files}/events?ticket={ticket}");
        var video = await page.EvaluateAsync<int>(Load, new[] { "video", $"{files}/video?ticket={ticket}" });
        var image = await page.EvaluateAsync<int>(Load, new[] { "img", $"{files}/thumbnail?ticket={ticket}" });
        var read = await page.EvaluateAsync<string[]>(Fetch, new[] { files, GatewayProcess.ClientKey });

        Assert.Equal(["processing", "completed"], states);
        Assert.Equal((300, 1), (video, image));
        Assert.Equal(("200", Id), (read[0], read[3]));
        Assert.All(read[1..3], header => Assert.NotEqual("", header));

        // Without a ticket, with one of another generation, and from another origin.
        Assert.Equal(0, await page.EvaluateAsync<int>(Load, new[] { "img", $"{files}/thumbnail" }));
        Assert.Equal(["error 2"], await page.EvaluateAsync<string[]>(Follow, $"{gateway.Address}generations/another/events?ticket={ticket}"));
        await page.GotoAsync(other.Address);
        Assert.Equal(["error 2"], await page.EvaluateAsync<string[]>(Follow, $"{files}/events?ticket={ticket}"));
        Assert.Equal(["blocked"], await page.EvaluateAsync<string[]>(Fetch, new[] { files, GatewayProcess.ClientKey }));
        Assert.Contains(refused, message => message.Contains("blocked by CORS policy", StringComparison.Ordinal));

        Assert.Contains($"/generations/{Id}/video", gateway.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(ticket, gateway.Log, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> SettingsFor(Loopback upstream, Loopback cdn, string origin) =>
        new()
        {
            ["Luma:BaseAddress"] = upstream.Address,
            ["Luma:ApiKey"] = "token-of-the-browser-tests",
            ["Access:Clients:0:Name"] = "system-tests",
            ["Access:Clients:0:KeySha256"] = ReplicaGroup.DigestOf(GatewayProcess.ClientKey),
            ["Cors:AllowedOrigins:0"] = origin,
            ["Waiting:PollEvery"] = "00:00:01",
            ["Assets:AllowHttp"] = "true",
            ["Assets:AllowedHosts:0"] = new Uri(cdn.Address).Authority,
            ["Assets:AllowedNetworks:0"] = "127.0.0.0/8",
            ["Logging:LogLevel:Microsoft.AspNetCore"] = "Trace",
            ["Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = "Trace", // logs the whole address of each request
        };

    private static async Task<string> TicketAsync(GatewayProcess gateway)
    {
        using var response = await gateway.Client.PostAsync(new Uri($"/generations/{Id}/ticket", UriKind.Relative), null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return body.RootElement.GetProperty("ticket").GetString()!;
    }

    private static Task SendPageAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html";
        return context.Response.WriteAsync("<!doctype html><title>A page</title><body></body>", context.RequestAborted);
    }

    /// <summary>The generation is completed at the third read.</summary>
    private Task SendGenerationAsync(HttpContext context, string cdn)
    {
        if (context.Request.Path.Value is not "/generations/" + Id)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(Interlocked.Increment(ref _reads) < 3
            ? $$"""{"id":"{{Id}}","state":"processing"}"""
            : $$$"""{"id":"{{{Id}}}","state":"completed","video":{"url":"{{{cdn}}}/clip.webm"},"thumbnail":{"url":"{{{cdn}}}/still.gif"}}""");
    }

    private Task SendFileAsync(HttpContext context) => context.Request.Path.Value is "/clip.webm"
        ? Results.Bytes(_clip, "video/webm", enableRangeProcessing: true).ExecuteAsync(context)
        : Results.Bytes(Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"), "image/gif").ExecuteAsync(context);
}
