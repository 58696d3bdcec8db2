using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Sends creates that extend a generation. The sandbox counts them by the id of that generation.</summary>
internal static class Creates
{
    /// <param name="replica">The replica.</param>
    /// <param name="id">The generation to extend.</param>
    /// <param name="key">The <c>Idempotency-Key</c>.</param>
    public static async Task<HttpResponseMessage> SendAsync(GatewayProcess replica, string id, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/luma/generations/{id}/extend") { Content = JsonContent.Create(new { prompt = "a cat" }) };
        request.Headers.Add("Idempotency-Key", key);
        return await replica.Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>The code of a problem.</summary>
    public static async Task<string?> CodeAsync(HttpResponseMessage response) => (await JsonAsync(response)).GetProperty("code").GetString();

    public static Task<JsonElement> JsonAsync(HttpResponseMessage response) => response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
}
