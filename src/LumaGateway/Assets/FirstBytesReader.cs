using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;

namespace LumaGateway.Assets;

/// <summary>Reads the first bytes of a file, and leaves a response whose body still starts at its first byte.</summary>
internal static class FirstBytesReader
{
    private static readonly StreamPipeReaderOptions Options = new(bufferSize: 64 * 1024, minimumReadSize: 16 * 1024);

    /// <summary>Whether the body of the response starts with the first byte of the file.</summary>
    public static bool IsAtStart(HttpMethod method, HttpResponseMessage response) => method == HttpMethod.Get && response.StatusCode is HttpStatusCode.OK;

    /// <summary>Returns fewer bytes than <see cref="AssetMediaType.FirstBytes"/> only if the body is shorter.</summary>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var content = response.Content;
        var reader = PipeReader.Create(await content.ReadAsStreamAsync(cancellationToken), Options);
        var read = await reader.ReadAtLeastAsync(AssetMediaType.FirstBytes, cancellationToken);
        var buffer = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, AssetMediaType.FirstBytes));
        var bytes = System.Buffers.BuffersExtensions.ToArray(buffer);
        reader.AdvanceTo(read.Buffer.Start);

        response.Content = new StreamContent(reader.AsStream());
        foreach (var (name, values) in content.Headers.NonValidated)
        {
            response.Content.Headers.TryAddWithoutValidation(name, values);
        }

        return bytes;
    }

    /// <summary>A request for the first bytes of the file that <paramref name="request"/> asks for.</summary>
    public static HttpRequestMessage RequestFor(HttpRequestMessage request)
    {
        var first = new HttpRequestMessage(HttpMethod.Get, request.RequestUri)
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
            Headers = { Range = new RangeHeaderValue(0, AssetMediaType.FirstBytes - 1) },
        };
        if (request.Headers.NonValidated.TryGetValues("User-Agent", out var agent))
        {
            first.Headers.TryAddWithoutValidation("User-Agent", agent);
        }

        return first;
    }
}
