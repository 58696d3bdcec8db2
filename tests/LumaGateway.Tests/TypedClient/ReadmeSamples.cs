extern alias client;

using client::LumaGateway.Client;
using client::LumaGateway.Contracts;
using client::Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.TypedClient;

/// <summary>The samples in the README of the client: <see cref="ReadmeTests"/> compares and runs them.</summary>
internal static class ReadmeSamples
{
    public static void Register(IServiceCollection services)
    {
        #region register
        services.AddLumaGatewayClient(options =>
        {
            options.BaseAddress = new Uri("https://luma-gateway.example");
            options.Key = "<client-key>";
        });
        services.AddHealthChecks().AddLumaGateway();
        #endregion
    }

    public static async Task WaitAndDownloadAsync(LumaGatewayClient client, string id, string path, CancellationToken cancellationToken)
    {
        #region wait
        var generation = await client.WaitAsync(id, TimeSpan.FromMinutes(10), cancellationToken);
        if (generation.State is GenerationState.Completed)
        {
            using var video = await client.OpenAssetAsync(id, AssetKind.Video, cancellationToken: cancellationToken);
            await using var file = File.Create(path);
            await video.Content.CopyToAsync(file, cancellationToken);
        }
        #endregion
    }

    public static async Task FollowAsync(LumaGatewayClient client, string id, List<string> log, CancellationToken cancellationToken)
    {
        #region follow
        try
        {
            await foreach (var state in client.FollowAsync(id, cancellationToken))
            {
                log.Add($"{state.Id} is {state.State}");
            }
        }
        catch (LumaGatewayException problem)
        {
            log.Add($"{problem.Code}, retry after {problem.RetryAfter}, request {problem.RequestId}");
        }
        #endregion
    }

    public static async Task<Generation> CreateAsync(LumaGatewayClient client, int order, List<string> log, CancellationToken cancellationToken)
    {
        #region create
        var request = new CreateGenerationRequest { Prompt = "cat dance" };
        try
        {
            return await client.CreateAsync(request, $"order-{order}", cancellationToken);
        }
        catch (LumaGatewayException problem) when (problem.IsTransient)
        {
            log.Add($"{problem.Code}: repeat later with the key {problem.IdempotencyKey}");
            throw;
        }
        #endregion
    }

    public static async Task ListAsync(LumaGatewayClient client, DateTimeOffset since, List<string> log, CancellationToken cancellationToken)
    {
        #region jobs
        var filter = new JobFilter { State = JobState.Failed, From = since };
        await foreach (var job in client.ListJobsAsync(filter, cancellationToken))
        {
            log.Add($"{job.Id} failed on {job.Account}");
        }
        #endregion
    }
}
