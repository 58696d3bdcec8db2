using System.Diagnostics;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>Reads the states of generations from server-sent events. Reconnects with <c>Last-Event-ID</c> until each state is final or its id is unknown. Not thread-safe.</summary>
/// <param name="transport">Sends the requests.</param>
/// <param name="path">The path and query of the stream.</param>
/// <param name="ids">The ids in the path, each once, in the form that the gateway sends.</param>
/// <param name="call">The span of the call.</param>
internal sealed class StateStream(GatewayTransport transport, string path, IEnumerable<string> ids, Activity? call) : IAsyncDisposable
{
    private readonly HashSet<string> _unfinished = [.. ids];
    private string _lastEventId = ""; // before the first state
    private TimeSpan? _reconnectAfter;
    private bool _isOver;
    private Connection? _connection;

    /// <summary>Returns the next state, or the problem of an unknown id; null after the last one.</summary>
    public async Task<BatchItem?> NextAsync(CancellationToken cancellationToken)
    {
        Activity.Current = call ?? Activity.Current; // the code between two states runs in the span of the caller
        while (!_isOver)
        {
            if (_connection is null)
            {
                await ReconnectAsync(cancellationToken);
            }
            else if (await ReadAsync(_connection, cancellationToken) is { } item)
            {
                Record(item);
                return item;
            }
            else
            {
                await CloseAsync();
                _reconnectAfter ??= TimeSpan.FromSeconds(1); // a stream that ends early must not be reopened in a tight loop
            }
        }

        return null;
    }

    /// <summary>Makes the next call return null.</summary>
    public void End() => _isOver = true;

    public ValueTask DisposeAsync() => CloseAsync();

    /// <summary>An id that was unknown can get a state later.</summary>
    private void Record(BatchItem item)
    {
        if (item.Generation is { IsFinal: false })
        {
            _unfinished.Add(item.Id);
        }
        else
        {
            _unfinished.Remove(item.Id);
        }

        _isOver = _unfinished.Count == 0;
    }

    private async ValueTask CloseAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.Events.DisposeAsync();
            connection.Response.Dispose();
        }
    }

    private async Task ReconnectAsync(CancellationToken cancellationToken)
    {
        if (_reconnectAfter is { } delay)
        {
            await Task.Delay(delay, transport.Clock, cancellationToken);
            _reconnectAfter = null;
        }

        var options = transport.Options;
        _connection = await transport.RetryAsync(
            () => transport.SendAsync(CreateRequest, (response, token) => OpenAsync(response, options.StreamIdleTimeout, token), options.AttemptTimeout, cancellationToken),
            options.RetryFor,
            call,
            cancellationToken);
        _isOver = _connection is null;
    }

    private HttpRequestMessage CreateRequest() => new(HttpMethod.Get, path)
    {
        Headers = { { "Accept", "text/event-stream" }, { "Last-Event-ID", _lastEventId } },
    };

    /// <summary>Returns null for 204: all final states were read before.</summary>
    private async Task<Connection?> OpenAsync(HttpResponseMessage response, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        if (response.StatusCode is HttpStatusCode.NoContent)
        {
            response.Dispose();
            return null;
        }

        if (response.Content.Headers.ContentType?.MediaType is not "text/event-stream")
        {
            throw new JsonException("Not a stream of events.");
        }

        var stream = new IdleTimeoutStream(await response.Content.ReadAsStreamAsync(cancellationToken), idleTimeout, transport.Clock);
        var parser = SseParser.Create(stream, (kind, data) => ResponseReader.ReadEvent(kind, data));
        return new Connection(response, parser, parser.EnumerateAsync(CancellationToken.None).GetAsyncEnumerator(CancellationToken.None));
    }

    /// <summary>Reads the next state. Returns null if the connection ends, is lost or is idle for too long.</summary>
    private async Task<BatchItem?> ReadAsync(Connection connection, CancellationToken cancellationToken)
    {
        using var closing = cancellationToken.Register(connection.Response.Dispose); // ends the pending read
        try
        {
            while (await connection.Events.MoveNextAsync())
            {
                if (connection.Events.Current.Data is { } item)
                {
                    _lastEventId = connection.Parser.LastEventId;
                    return item;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or ObjectDisposedException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            call?.AddEvent(new ActivityEvent("stream lost", transport.Clock.GetUtcNow()));
        }
        catch (JsonException exception)
        {
            throw new LumaGatewayException(LumaGatewayException.Unexpected, "An event is not one of the gateway.", exception);
        }

        cancellationToken.ThrowIfCancellationRequested();
        _reconnectAfter = connection.Parser.ReconnectionInterval is { Ticks: > 0 } asked ? asked : null;
        return null;
    }

    private sealed record Connection(HttpResponseMessage Response, SseParser<BatchItem?> Parser, IAsyncEnumerator<SseItem<BatchItem?>> Events);
}
