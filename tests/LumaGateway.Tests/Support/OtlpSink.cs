using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace LumaGateway.Tests.Support;

/// <summary>
/// Receives OTLP exports over gRPC or http/protobuf, and records them without decoding: names and values are plain UTF-8 in protobuf, so tests can search for them.
/// Thread-safe.
/// </summary>
internal sealed class OtlpSink : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Signal, string Body)> _received;

    private OtlpSink(WebApplication app, ConcurrentQueue<(string Signal, string Body)> received) => (_app, _received) = (app, received);

    public string Address => _app.Urls.Single();

    /// <summary>The received signals: traces, metrics, logs.</summary>
    public IReadOnlySet<string> Signals => _received.Select(export => export.Signal).ToHashSet();

    public static async Task<OtlpSink> StartAsync(bool grpc)
    {
        var received = new ConcurrentQueue<(string, string)>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.UseLongTimeouts();
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1);
        });
        var app = builder.Build();
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.Enqueue((SignalOf(context.Request.Path.Value!), Encoding.Latin1.GetString(body.ToArray())));
            if (grpc)
            {
                await RespondGrpcAsync(context.Response);
            }
            else
            {
                context.Response.ContentType = "application/x-protobuf";
            }
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new OtlpSink(app, received);
    }

    /// <summary>Whether an export of the signal contains all of the words.</summary>
    public bool Has(string signal, params string[] words) =>
        words.All(word => _received.Any(export => export.Signal == signal && export.Body.Contains(word, StringComparison.Ordinal)));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary><c>/v1/traces</c>, or <c>/opentelemetry.proto.collector.trace.v1.TraceService/Export</c>.</summary>
    private static string SignalOf(string path) =>
        path.Contains("trace", StringComparison.Ordinal) ? "traces" : path.Contains("metrics", StringComparison.Ordinal) ? "metrics" : "logs";

    /// <summary>Sends an empty message with the status OK.</summary>
    private static async Task RespondGrpcAsync(HttpResponse response)
    {
        response.ContentType = "application/grpc";
        await response.Body.WriteAsync(new byte[5]);
        response.AppendTrailer("grpc-status", "0");
    }
}
