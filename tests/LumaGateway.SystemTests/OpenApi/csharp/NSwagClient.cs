using System.Text.Json;
using Generated.NSwag;

namespace Clients;

internal sealed class NSwagClient(HttpClient http) : IGeneratedClient
{
    private readonly GatewayClient _client = new(http) { BaseUrl = http.BaseAddress!.AbsoluteUri, ReadResponseAsString = true };

    public async Task<(string? State, string? VideoUrl, int Outputs)> GetAsync(string id)
    {
        var generation = await _client.GetGenerationAsync(id, null, null);
        return (WordOf(generation.State), generation.Video?.Url, generation.Outputs.Count);
    }

    public async Task<string?> WaitAsync(string id, string prefer) => WordOf((await _client.GetGenerationAsync(id, prefer, null)).State);

    public async Task<IReadOnlyList<(string? Id, string? State, string? ProblemCode)>> GetSeveralAsync(params string[] ids) =>
        [.. (await _client.GetGenerationsAsync(ids)).Generations.Select(item => ((string?)item.Id, WordOf(item.Generation?.State), item.Problem?.Code))];

    public async Task<byte[]> DownloadVideoAsync(string id)
    {
        using var file = await _client.GetVideoAsync(id, null);
        using var bytes = new MemoryStream();
        await file.Stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    public async Task<(int Status, string? Code, string Message)> FailAsync(string id)
    {
        try
        {
            await _client.GetGenerationAsync(id, null, null);
            return default;
        }
        catch (ApiException<Problem> exception)
        {
            return (exception.StatusCode, exception.Result.Code, exception.Message);
        }
    }

    public async Task<(string? Id, string? State)> CreateAsync(string prompt, string ratio, double duration, string key, string? prefer)
    {
        var created = await _client.CreateGenerationAsync(new CreateGenerationRequest { Prompt = prompt, Aspect_ratio = ratio, Duration = duration }, key, prefer);
        return (created.Id, WordOf(created.State));
    }

    public async Task<(int Status, string? Code, string? Fields)> CreateUnsupportedAsync(string prompt, long seed)
    {
        try
        {
            await _client.CreateGenerationAsync(new CreateGenerationRequest { Prompt = prompt, Seed = seed }, null, null);
            return default;
        }
        catch (ApiException<Problem> exception)
        {
            return (exception.StatusCode, exception.Result.Code, string.Join(' ', exception.Result.Errors!.Keys));
        }
    }

    public async Task<(int Status, string? Code)?> DeleteAsync(string id)
    {
        try
        {
            await _client.DeleteGenerationAsync(id);
            return null;
        }
        catch (ApiException<Problem> exception)
        {
            return (exception.StatusCode, exception.Result.Code);
        }
    }

    public async Task<string?> CreateRawAsync(string prompt, string key)
    {
        var created = await _client.PostLumaGenerationsAsync(body: new Dictionary<string, object> { ["user_prompt"] = prompt }, idempotency_Key: key);
        return ((JsonElement)created["id"]).GetString();
    }

    public async Task<IReadOnlyList<string?>> ListJobsAsync(string state, DateTimeOffset from, int limit) =>
        [.. (await _client.GetJobsAsync(state: Enum.Parse<JobState>(state, ignoreCase: true), from: from, limit: limit)).Jobs.Select(job => job.Id)];

    private static string? WordOf(GenerationState? state) => state?.ToString().ToLowerInvariant();
}
