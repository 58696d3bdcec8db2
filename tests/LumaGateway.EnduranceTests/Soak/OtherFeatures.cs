using System.Net.Http.Json;
using LumaGateway.EnduranceTests.Chaos;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>Callers of what chaos leaves alone: files, the raw API, callbacks, the pages for operators.</summary>
internal sealed class OtherFeatures(Exchange exchange, HttpClient http)
{
    public const string CallbackSecret = "callbacks-of-the-soak-0123456789";

    public Task<HttpResponseMessage> FetchFileAsync(int number)
    {
        string[] kinds = ["video", "thumbnail", "last_frame"];
        return SendAsync(HttpMethod.Get, number, $"/generations/{Ids.Treasures[number % 20]}/{kinds[number % 3]}");
    }

    public Task<HttpResponseMessage> PassAsync(int number) => SendAsync(HttpMethod.Get, number, $"/luma/generations/{Ids.Running(exchange.Now, number)}");

    public Task<HttpResponseMessage> HintAsync(int number) => SendAsync(
        HttpMethod.Post, number, $"/callbacks/luma/{CallbackSecret}", JsonContent.Create(new { id = Ids.Running(exchange.Now, number), state = "completed" }));

    public async Task<HttpResponseMessage> LookAsync(int number)
    {
        var (replica, _, _) = exchange.Choose(number);
        return await http.GetAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/{(number % 2 == 0 ? "metrics" : "status")}"), TestContext.Current.CancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, int number, string path, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(exchange.Choose(number).Address, path)) { Content = body };
        return await exchange.SendAsync(request);
    }
}
