using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LumaGateway.Contracts;

namespace LumaGateway.Features.Passthrough;

/// <summary>
/// Writes JSON through to another stream, without the <c>callback_url</c> members that name an address of ours; all other bytes pass as they are. Holds
/// 8 KiB back at most, whatever the length, so that a member is seen whole wherever the writes part it; <see cref="FinishAsync"/> sends the rest. The
/// other stream stays open. For one writer.
/// </summary>
/// <param name="inner">Where to.</param>
/// <param name="ours">How our addresses begin.</param>
/// <param name="tryBegin">Asked once, before the first byte: false where the answer is no JSON and passes untouched.</param>
internal sealed partial class OmittingStream(Stream inner, string ours, Func<bool> tryBegin) : WriteOnlyStream
{
    /// <summary>More than the longest text that <see cref="Member"/> matches.</summary>
    private const int Kept = 4 * 1024;

    private readonly ArrayBufferWriter<byte> _held = new();
    private bool? _isJson;

    private bool IsJson => _isJson ??= tryBegin();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!IsJson)
        {
            return inner.WriteAsync(buffer, cancellationToken);
        }

        _held.Write(buffer.Span);
        return _held.WrittenCount > 2 * Kept ? SendAsync(Kept, cancellationToken) : ValueTask.CompletedTask;
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        _ = IsJson; // a flush sends the headers
        return inner.FlushAsync(cancellationToken);
    }

    /// <summary>To be called once all is written.</summary>
    public ValueTask FinishAsync(CancellationToken cancellationToken) => _held.WrittenCount > 0 ? SendAsync(kept: 0, cancellationToken) : ValueTask.CompletedTask;

    private async ValueTask SendAsync(int kept, CancellationToken cancellationToken)
    {
        // Nearly always there is no such member.
        var held = _held.WrittenSpan.ToArray();
        var (passing, later) = held.AsSpan().IndexOf("\"callback_url\""u8) < 0
            ? (held.AsMemory(..^kept), held.AsMemory(^kept..))
            : Omit(Encoding.Latin1.GetString(held), kept); // each byte is one character, and back
        _held.ResetWrittenCount();
        _held.Write(later.Span);
        await inner.WriteAsync(passing, cancellationToken);
    }

    /// <summary>A member is judged once all of it is sure to be there: it begins before what is kept, or nothing is.</summary>
    private (ReadOnlyMemory<byte> Passing, ReadOnlyMemory<byte> Later) Omit(string text, int kept)
    {
        var passing = new StringBuilder(text.Length);
        var (at, end) = (0, text.Length - kept);
        foreach (var member in Member().Matches(text).Where(member => member.Index < end && IsOurs(member.Groups["url"].Value)))
        {
            passing.Append(text, at, member.Index - at);
            at = member.Index + member.Length;
        }

        end = Math.Max(at, end);
        passing.Append(text, at, end - at);
        return (Encoding.Latin1.GetBytes(passing.ToString()), Encoding.Latin1.GetBytes(text[end..]));
    }

    /// <summary>An upstream may write the slashes of an address as <c>\/</c>.</summary>
    private bool IsOurs(string url)
    {
        try
        {
            return JsonSerializer.Deserialize(url, ContractsJson.Web.String)!.StartsWith(ours, StringComparison.Ordinal);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>
    /// The member, with the comma before it, or where it is the first, the one after it. These bytes, quotation marks and all, are in valid JSON nothing but a
    /// whole string, unless a backslash stands before them; and a string before a colon is a name.
    /// </summary>
    [GeneratedRegex("""(?<comma>,\s{0,99})?(?<!\\)"callback_url"\s{0,99}:\s{0,99}(?<url>"[^"]{1,1500}")(?(comma)|\s{0,99},?)""", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Member();
}
