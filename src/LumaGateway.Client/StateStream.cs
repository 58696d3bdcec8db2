using System.Diagnostics;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>Reads the states of one generation from server-sent events. Reconnects with <c>Last-Event-ID</c> until the state is final. Not thread-safe.</summary>
internal sealed class StateStream(GatewayTransport transport, string id, Activity? call) : IAsyncDisposable
{
    private string _lastEventId = ""; // before the first state
    private TimeSpan? _reconnectAfter;
    private bool _isOver;
    private Connection? _connection;

    /// <summary>Returns the next state; null after the final one.</summary>
    public async Task<Generation?> NextAsync(CancellationToken cancellationToken)
    {
        Activity.Current = call ?? Activity.Current; // the code between two states runs in the span of the caller
        while (!_isOver)
        {
            if (_connection is null)
            {
                await ReconnectAsync(cancellationToken);
            }
            else if (await ReadAsync(_connection, cancellationToken) is { } generation)
            {
                _isOver = generation.IsFinal;
                return generation;
            }
            else
            {
                await CloseAsync();
                _reconnectAfter ??= TimeSpan.FromSeconds(1); // a stream that ends early must not be reopened in a tight loop
            }
        }

        return null;
    }

    public ValueTask DisposeAsync() => CloseAsync();

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

    private HttpRequestMessage CreateRequest() => new(HttpMethod.Get, $"generations/{id}/events")
    {
        Headers = { { "Accept", "text/event-stream" }, { "Last-Event-ID", _lastEventId } },
    };

    /// <summary>Returns null for 204: the final state was read before.</summary>
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
        var parser = SseParser.Create(stream, (kind, data) => kind is "generation" ? ResponseReader.ReadEvent(data) : null);
        return new Connection(response, parser, parser.EnumerateAsync(CancellationToken.None).GetAsyncEnumerator(CancellationToken.None));
    }

    /// <summary>Reads the next state. Returns null if the connection ends, is lost or is idle for too long.</summary>
    private async Task<Generation?> ReadAsync(Connection connection, CancellationToken cancellationToken)
    {
        using var closing = cancellationToken.Register(connection.Response.Dispose); // ends the pending read
        try
        {
            while (await connection.Events.MoveNextAsync())
            {
                if (connection.Events.Current.Data is { } generation)
                {
                    _lastEventId = connection.Parser.LastEventId;
                    return generation;
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

    private sealed record Connection(HttpResponseMessage Response, SseParser<Generation?> Parser, IAsyncEnumerator<SseItem<Generation?>> Events);
}
