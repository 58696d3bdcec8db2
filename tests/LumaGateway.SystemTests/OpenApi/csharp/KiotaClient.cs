using Generated.Kiota;
using Generated.Kiota.Models;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Http.HttpClientLibrary;

namespace Clients;

/// <summary>The key is a default header of the HTTP client.</summary>
internal sealed class KiotaClient(HttpClient http) : IGeneratedClient
{
    private readonly GatewayClient _client = new(
        new HttpClientRequestAdapter(new AnonymousAuthenticationProvider(), httpClient: http) { BaseUrl = http.BaseAddress!.AbsoluteUri.TrimEnd('/') });

    public async Task<(string? State, string? VideoUrl, int Outputs)> GetAsync(string id)
    {
        var generation = await _client.Generations[id].GetAsync();
        return (WordOf(generation?.State), generation?.Video?.Url, generation?.Outputs?.Count ?? 0);
    }

    public async Task<string?> WaitAsync(string id, string prefer) =>
        WordOf((await _client.Generations[id].GetAsync(request => request.Headers.Add("Prefer", prefer)))?.State);

    public async Task<IReadOnlyList<(string? Id, string? State, string? ProblemCode)>> GetSeveralAsync(params string[] ids)
    {
        var batch = await _client.Generations.GetAsync(request => request.QueryParameters.Ids = ids);
        return [.. batch!.Generations!.Select(item => (item.Id, WordOf(item.Generation?.State), item.Problem?.Code))];
    }

    public async Task<byte[]> DownloadVideoAsync(string id)
    {
        using var video = await _client.Generations[id].Video.GetAsync();
        using var bytes = new MemoryStream();
        await video!.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    public async Task<(int Status, string? Code, string Message)> FailAsync(string id)
    {
        try
        {
            await _client.Generations[id].GetAsync();
            return default;
        }
        catch (Problem problem)
        {
            return (problem.ResponseStatusCode, problem.Code, problem.Message);
        }
    }

    public async Task<(string? Id, string? State)> CreateAsync(string prompt, string ratio, double duration, string key, string? prefer)
    {
        var request = new CreateGenerationRequest { Prompt = prompt, AspectRatio = ratio, Duration = duration };
        var created = await _client.Generations.PostAsync(request, options =>
        {
            options.Headers.Add("Idempotency-Key", key);
            if (prefer is not null)
            {
                options.Headers.Add("Prefer", prefer);
            }
        });
        return (created?.Id, WordOf(created?.State));
    }

    public async Task<(int Status, string? Code, string? Fields)> CreateUnsupportedAsync(string prompt, long seed)
    {
        try
        {
            await _client.Generations.PostAsync(new CreateGenerationRequest { Prompt = prompt, Seed = seed });
            return default;
        }
        catch (Problem problem)
        {
            return (problem.ResponseStatusCode, problem.Code, string.Join(' ', problem.Errors!.AdditionalData.Keys));
        }
    }

    public async Task<(int Status, string? Code)?> DeleteAsync(string id)
    {
        try
        {
            await _client.Generations[id].DeleteAsync();
            return null;
        }
        catch (Problem problem)
        {
            return (problem.ResponseStatusCode, problem.Code);
        }
    }

    public async Task<string?> CreateRawAsync(string prompt, string key)
    {
        var request = new UpstreamObject { AdditionalData = new Dictionary<string, object> { ["user_prompt"] = prompt } };
        var created = await _client.Luma.Generations.PostAsync(request, options => options.Headers.Add("Idempotency-Key", key));
        return created!.AdditionalData["id"].ToString(); // Kiota reads an id that looks like a UUID as a Guid
    }

    public async Task<IReadOnlyList<string?>> ListJobsAsync(string state, DateTimeOffset from, int limit)
    {
        var list = await _client.Jobs.GetAsync(request =>
        {
            request.QueryParameters.State = Enum.Parse<JobState>(state, ignoreCase: true);
            request.QueryParameters.From = from;
            request.QueryParameters.Limit = limit;
        });
        return [.. list!.Jobs!.Select(job => job.Id)];
    }

    private static string? WordOf(GenerationState? state) => state?.ToString().ToLowerInvariant();
}
