namespace LumaGateway.Client;

/// <summary>An open download. <see cref="Dispose"/> closes its connection. Not thread-safe.</summary>
public sealed class LumaAsset : IDisposable
{
    private readonly HttpResponseMessage _response;

    internal LumaAsset(HttpResponseMessage response, Stream content) => (_response, Content) = (response, content);

    /// <summary>The bytes as they arrive. A read fails with an <see cref="IOException"/> if the connection is lost, or idle for <see cref="LumaGatewayClientOptions.StreamIdleTimeout"/>; open the rest with a range.</summary>
    public Stream Content { get; }

    /// <summary>The media type, such as <c>video/mp4</c>.</summary>
    public string? MediaType => _response.Content.Headers.ContentType?.MediaType;

    /// <summary>The number of bytes in <see cref="Content"/>; null if it is not known.</summary>
    public long? Length => _response.Content.Headers.ContentLength;

    /// <summary>The position of the first byte of <see cref="Content"/> in the file. It is 0 if a range was asked for and the whole file is sent.</summary>
    public long Offset => _response.Content.Headers.ContentRange?.From ?? 0;

    /// <summary>The number of bytes of the whole file; null if it is not known.</summary>
    public long? TotalLength => _response.Content.Headers.ContentRange is { } range ? range.Length : Length;

    /// <inheritdoc/>
    public void Dispose() => _response.Dispose(); // also disposes its content
}
