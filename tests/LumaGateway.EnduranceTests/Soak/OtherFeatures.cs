using System.Net.Http.Json;
using LumaGateway.EnduranceTests.Chaos;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>Callers of the features that chaos does not use: files, the raw API, callbacks, metrics and status.</summary>
internal sealed class OtherFeatures(RequestSender sender, HttpClient http)
{
    public const string CallbackSecret = "callbacks-of-the-soak-0123456789";

    public Task<HttpResponseMessage> DownloadAsync(int number)
    {
        string[] kinds = ["video", "thumbnail", "last_frame"];
        return SendAsync(HttpMethod.Get, number, $"/generations/{Ids.Cached[number % 20]}/{kinds[number % 3]}");
    }

    public Task<HttpResponseMessage> PassThroughAsync(int number) => SendAsync(HttpMethod.Get, number, $"/luma/generations/{Ids.Running(sender.Now, number)}");

    public Task<HttpResponseMessage> SendCallbackAsync(int number) => SendAsync(
        HttpMethod.Post, number, $"/callbacks/luma/{CallbackSecret}", JsonContent.Create(new { id = Ids.Running(sender.Now, number), state = "completed" }));

    public async Task<HttpResponseMessage> ReadManagementAsync(int number)
    {
        var (replica, _, _) = sender.ChooseReplica(number);
        return await http.GetAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/{(number % 2 == 0 ? "metrics" : "status")}"), TestContext.Current.CancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, int number, string path, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(sender.ChooseReplica(number).Address, path)) { Content = body };
        return await sender.SendAsync(request);
    }
}
