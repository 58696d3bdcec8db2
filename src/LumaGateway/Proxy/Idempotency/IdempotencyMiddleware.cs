using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Access;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Makes a POST with an <c>Idempotency-Key</c> happen once: who repeats it gets the first answer again, and nobody repeats one whose outcome
/// is unknown. Once sent, it runs to its end even when its caller leaves.
/// </summary>
internal sealed class IdempotencyMiddleware(
    RequestDelegate next, IdempotencyLedger ledger, ProxyMetrics metrics, IOptions<PassthroughOptions> options, TimeProvider clock)
{
    public const string KeyHeader = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";

    private const int MaxKeyLength = 255;
    private const int MaxBytes = 1024 * 1024;
    private const int FirstBufferBytes = 4 * 1024;

    private const string WhatMakesRoom =
        "Records make room when they expire (Passthrough:IdempotencyLifetime). With ConnectionStrings:Redis they are kept in Redis, where this limit does not apply.";

    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(2);

    private static readonly SearchValues<char> Visible = SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);

    /// <summary>What of an answer is its own, and not of the moment.</summary>
    private static readonly string[] KeptHeaders =
    [
        HeaderNames.ContentType, HeaderNames.ContentLanguage, HeaderNames.ContentEncoding, HeaderNames.ContentDisposition, HeaderNames.ETag,
        HeaderNames.LastModified, HeaderNames.CacheControl, ShouldRetry.Header,
    ];

    public Task InvokeAsync(HttpContext context)
    {
        var sent = context.Request.Headers[KeyHeader];
        if (!HttpMethods.IsPost(context.Request.Method) || sent.Count == 0)
        {
            return next(context);
        }

        return sent is [{ Length: > 0 and <= MaxKeyLength } key] && !key.AsSpan().ContainsAnyExcept(Visible)
            ? RunAsync(context, key)
            : ProblemWriter.WriteAsync(context, ProblemKinds.InvalidRequest, $"{KeyHeader} must be one value of 1 to {MaxKeyLength} visible ASCII characters.");
    }

    private async Task RunAsync(HttpContext context, string key)
    {
        if (await ReadBodyAsync(context.Request) is not { } body)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.TooLarge, $"The body of a request with an {KeyHeader} may have 1 MiB at most.");
            return;
        }

        IdempotencyClaim claim;
        try
        {
            var client = RateLimitLease.Of(context)!.Client.Name;
            string[] subject = [client, RoutePath.Of(context, foldsCatchAll: true), key];
            claim = await ledger.ClaimAsync(client, subject, FingerprintOf(context.Request, body));
        }
        catch (RecordStoreFullException full)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.IdempotencyUnavailable, $"{full.Message}, so nothing was sent to the upstream. {WhatMakesRoom}");
            return;
        }
        catch (IdempotencyStoreUnavailableException)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.IdempotencyUnavailable);
            return;
        }

        await (claim.IsOurs ? SendAsync(context, claim, body) : RepeatAsync(context, claim.Record, FingerprintOf(context.Request, body)));
    }

    private async Task RepeatAsync(HttpContext context, IdempotencyRecord first, string fingerprint)
    {
        if (first.Fingerprint != fingerprint)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.IdempotencyKeyReused);
        }
        else if (first.Answer is { } answer)
        {
            metrics.Replayed();
            await ReplayAsync(context.Response, answer);
        }
        else if (ledger.IsRunning(first))
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.CreateInProgress, retryAfter: AskAgainAfter);
        }
        else
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.OutcomeUnknown);
        }
    }

    private async Task SendAsync(HttpContext context, IdempotencyClaim claim, byte[] body)
    {
        byte[] answer;
        try
        {
            answer = await ForwardAsync(context, claim, body);
        }
        catch
        {
            await (MayHaveBeenSent(context) ? ledger.MarkUnknownAsync(claim) : ledger.FreeAsync(claim));
            throw;
        }

        if (context.Features.Get<IForwarderErrorFeature>() is null && answer.Length > 0)
        {
            context.Response.ContentLength = answer.Length;
            await context.Response.Body.WriteAsync(answer, context.RequestAborted);
        }
    }

    /// <summary>Sends the create, records its outcome, and returns the response's body. The caller gets nothing before the outcome is recorded.</summary>
    private async Task<byte[]> ForwardAsync(HttpContext context, IdempotencyClaim claim, byte[] body)
    {
        context.Request.Body = new MemoryStream(body);
        context.Request.Headers.ContentLength = body.Length;
        context.Request.Headers.Remove(HeaderNames.TransferEncoding);
        context.Request.Headers.Remove(HeaderNames.AcceptEncoding); // who repeats it may not take the encoding that the first one took

        byte[] answer;
        using (var captured = new CapturedResponse(context, MaxBytes, options.Value.CreateTimeout, clock))
        {
            await next(context);
            answer = captured.Body;
        }

        var outcome = context.Features.Get<IForwarderErrorFeature>() is { } failure
            ? CreateOutcomes.Of(failure, context.Features.Get<SendProgress>())
            : context.Features.Get<PassedCreate>()?.Outcome ?? CreateOutcome.Refused; // without an answer of the upstream nothing was sent
        await (outcome switch
        {
            CreateOutcome.Settled => ledger.SettleAsync(claim, new RecordedResponse(context.Response.StatusCode, HeadersOf(context.Response), answer)),
            CreateOutcome.Refused => ledger.FreeAsync(claim),
            _ => ledger.MarkUnknownAsync(claim),
        });

        return answer;
    }

    /// <summary>Whether the upstream can have any byte of the request.</summary>
    private static bool MayHaveBeenSent(HttpContext context) =>
        context.Features.Get<SendProgress>() is { HasBegun: true } || context.Features.Get<PassedCreate>() is not null;

    private static Task ReplayAsync(HttpResponse response, RecordedResponse answer)
    {
        response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            response.Headers[name] = value;
        }

        response.Headers[ReplayedHeader] = "true";
        if (answer.Body.Length == 0)
        {
            return Task.CompletedTask;
        }

        response.ContentLength = answer.Body.Length;
        return response.Body.WriteAsync(answer.Body, response.HttpContext.RequestAborted).AsTask();
    }

    private static Dictionary<string, string> HeadersOf(HttpResponse response) =>
        KeptHeaders.Where(response.Headers.ContainsKey).ToDictionary(name => name, name => response.Headers[name].ToString());

    /// <summary>Null where it is too large. The buffer grows with the bytes that arrive: a <c>Content-Length</c> alone reserves nothing.</summary>
    private static async Task<byte[]?> ReadBodyAsync(HttpRequest request)
    {
        if (request.ContentLength > MaxBytes)
        {
            return null;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        try
        {
            var length = 0;
            while (await request.Body.ReadAsync(buffer.AsMemory(length), request.HttpContext.RequestAborted) is > 0 and var read)
            {
                length += read;
                if (length > MaxBytes)
                {
                    return null;
                }

                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(2 * length);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }

            return buffer[..length];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string FingerprintOf(HttpRequest request, byte[] body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(request.QueryString.ToUriComponent() + "\n"));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
