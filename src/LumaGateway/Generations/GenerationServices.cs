using LumaGateway.Caching;
using LumaGateway.Jobs;
using LumaGateway.Redis;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>Registers the reads of generations, and the services that combine layers which must not depend on each other.</summary>
internal static class GenerationServices
{
    /// <summary>Must increase with every change of the stored DTO, its JSON or the format of entries: gateways of two versions may share a Redis.</summary>
    private const string Schema = "5";

    public static IServiceCollection AddGenerations(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<FreshnessOptions, FreshnessOptionsValidator>().BindConfiguration(FreshnessOptions.Section);
        services.AddSingleton<IValidateOptions<FreshnessOptions>, FreshnessOptionsRules>();
        services.TryAddSingleton(new PublishedLinks(PublicUrl: null));
        services.AddOptionsWithValidateOnStart<BatchOptions, BatchOptionsValidator>().BindConfiguration(BatchOptions.Section);
        services.AddSingleton<GenerationSource>();
        services.AddSingleton<IEntrySource>(static provider => provider.GetRequiredService<GenerationSource>());
        services.AddSingleton<GenerationReader>();
        services.AddSingleton<HitResponse>();
        services.AddHostedService<RetryAfterBroadcast>();
        services.AddSingleton(provider =>
        {
            // The first account, so that one more account changes no key. The data of all accounts is in one keyspace: a hit needs no look-up of the id's account.
            var first = provider.GetRequiredService<UpstreamAccounts>().First;
            return new RedisKeyspace(first.Options.Name.Length > 0 ? first.Name : first.Root.Host, first.Dialect.Name, Schema + provider.GetRequiredService<PublishedLinks>().KeySuffix);
        });

        services.AddSingleton(provider => new JobLimits(provider.GetRequiredService<UpstreamAccounts>().All.ToDictionary(
            static account => account.Name, static account => new SlotLimits(account.Options.MaxConcurrentJobs, account.Options.MaxCreatesPerMinute))));

        services.AddSingleton(provider => GenerationFreshness.LimitsOf(provider.GetRequiredService<IOptions<FreshnessOptions>>().Value));

        return services;
    }
}
