using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Upstreams;

/// <summary>
/// Reads one generation or a page of generations from an account, in its dialect. Throws <see cref="UpstreamException"/> if there is no
/// usable response. Thread-safe.
/// </summary>
internal sealed class UpstreamClient(UpstreamTransport transport, UpstreamPipeline pipeline, UpstreamAccount account, DriftDetector drift)
{
    private readonly IUpstreamDialect _dialect = account.Dialect;

    /// <summary>Whether <see cref="ListAsync"/> is supported.</summary>
    public bool SupportsList => _dialect is IListingDialect;

    /// <summary>Starts the deadline of a read, <c>Luma:Deadline</c>.</summary>
    public Deadline StartDeadline() => transport.StartDeadline();

    /// <param name="id">The generation.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>, so that the upstream's operators can find the request.</param>
    /// <param name="deadline">The limit on the whole read, with all attempts.</param>
    public Task<DialectResult> GetAsync(GenerationId id, string requestId, Deadline deadline) =>
        ExecuteAsync(
            new UpstreamRead<DialectResult>(this, _dialect.PathOf(id), static (read, status, body) => read.Client.ReadOne(read.Id, status, body), requestId) { Id = id }, deadline);

    /// <summary>Reads a page of the account's generations, newest first. Requires <see cref="SupportsList"/>.</summary>
    /// <param name="limit">The length of the page.</param>
    /// <param name="offset">The number of newer generations to skip.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>.</param>
    /// <param name="deadline">The limit on the whole read, with all attempts.</param>
    public Task<DialectPage> ListAsync(int limit, int offset, string requestId, Deadline deadline)
    {
        var path = ((IListingDialect)_dialect).PathOfList(limit, offset);
        return ExecuteAsync(new UpstreamRead<DialectPage>(this, path, static (read, status, body) => read.Client.ReadPage(status, body), requestId), deadline);
    }

    /// <summary>Sends the probe of any dialect, with the token in the header of the configured dialect.</summary>
    public Task<ProbeResult> ProbeAsync(DialectProbe probe, string requestId, Deadline deadline) =>
        ExecuteAsync(new UpstreamRead<ProbeResult>(this, probe.Path, (_, status, body) => ProbeResult.Read(probe, status, body), requestId), deadline);

    private async Task<TResult> ExecuteAsync<TResult>(UpstreamRead<TResult> read, Deadline deadline)
    {
        try
        {
            var result = await pipeline.ExecuteAsync(read.Path, static (read, token) => read.Client.AttemptAsync(read, token), read, deadline);
            account.Acceptance.MarkAccepted();
            return result;
        }
        catch (UpstreamException exception)
        {
            account.Metrics.RecordFault(exception.Fault);
            if (exception.Fault is UpstreamFault.TokenRefused or UpstreamFault.OutOfCredit)
            {
                account.Acceptance.MarkRefused(exception.Fault);
            }

            throw;
        }
    }

    /// <summary>Reads the body of a proxied response with status 200. Throws <see cref="UpstreamException"/> if it is not usable.</summary>
    public DialectResult ReadProxied(GenerationId id, ReadOnlyMemory<byte> body)
    {
        using var document = UpstreamTransport.Parse(isSuccess: true, body);
        return _dialect.Read(id, HttpStatusCode.OK, document!.RootElement);
    }

    private DialectResult ReadOne(GenerationId id, HttpStatusCode status, JsonElement body)
    {
        var result = _dialect.Read(id, status, body);
        drift.Inspect(body, result.IsKnownState);
        account.Metrics.RecordResult(result);
        return result;
    }

    private DialectPage ReadPage(HttpStatusCode status, JsonElement body)
    {
        var page = ((IListingDialect)_dialect).ReadList(status, body);
        drift.Inspect(body, page.Results.All(static result => result.IsKnownState));
        return page;
    }

    private Task<TResult> AttemptAsync<TResult>(UpstreamRead<TResult> read, CancellationToken token)
    {
        var span = UpstreamAttempts.Start(account, read.Attempts++);
        return span is null ? SendAsync() : TraceAsync();

        Task<TResult> SendAsync() => transport.GetAsync(read.Path, read.RequestId, read.Read, read, token);

        async Task<TResult> TraceAsync()
        {
            using (span)
            {
                try
                {
                    return await SendAsync();
                }
                catch (Exception exception)
                {
                    UpstreamAttempts.RecordFailure(span, exception);
                    throw;
                }
            }
        }
    }

    /// <summary>One read, with all its attempts.</summary>
    private sealed record UpstreamRead<TResult>(
        UpstreamClient Client, string Path, Func<UpstreamRead<TResult>, HttpStatusCode, JsonElement, TResult> Read, string RequestId)
    {
        /// <summary>The generation, if the read is of one.</summary>
        public GenerationId Id { get; init; }

        /// <summary>The attempts that have started. They never overlap.</summary>
        public int Attempts { get; set; }
    }
}
