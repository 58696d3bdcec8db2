using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// Asks what only an upstream of the configured dialect answers in its own shape. Where the answer is not of that shape, asks what the other dialects would,
/// and says whose it is or what was seen.
/// </summary>
internal sealed class UpstreamCheck(
    UpstreamClient upstream, UpstreamDialect dialect, IEnumerable<IUpstreamDialect> dialects, IOptions<LumaOptions> options, TimeProvider clock) : IConnectionCheck
{
    private const string RequestId = "check";

    public string Name => "upstream";

    public async Task<(Verdict Verdict, string Says)> TryAsync()
    {
        var chosen = dialect.Chosen;
        try
        {
            var answer = await AskAsync(chosen);
            if (answer.IsRecognized is true)
            {
                return (Verdict.Good, $"It answers at Luma:BaseAddress as {chosen.Name} does, and takes the token.");
            }

            if (await FindOtherAsync(chosen, isDoubtful: answer.IsRecognized is null) is { } other)
            {
                return (Verdict.Bad, $"It answers at Luma:BaseAddress as {other} does, not as {chosen.Name}: look at Luma:Dialect.");
            }

            return answer.IsRecognized is null
                ? (Verdict.Unclear, $"It answers at Luma:BaseAddress and takes the token, but the answer ({answer.Seen}) may be of {chosen.Name} or of another API.")
                : (Verdict.Bad, $"It answers at Luma:BaseAddress, but not as {chosen.Name} does ({answer.Seen}): look at the path and version in Luma:BaseAddress, and at Luma:Dialect.");
        }
        catch (UpstreamException exception)
        {
            return exception.Fault switch
            {
                UpstreamFault.TokenRefused => (Verdict.Bad,
                    $"It refuses the token of Luma:ApiKey or Luma:ApiKeyFile, sent in {chosen.Credential(string.Empty).Name} as Luma:Dialect {chosen.Name} has it."),
                UpstreamFault.OutOfCredit => (Verdict.Bad, "It takes the token, but the account is out of credit."),
                UpstreamFault.Throttled => (Verdict.Unclear, "It answers at Luma:BaseAddress, but asks to be left alone just now: token and dialect were not judged."),
                UpstreamFault.Unreachable => (Verdict.Bad, $"Nobody can be reached at Luma:BaseAddress. {exception.Message}"),
                UpstreamFault.TimedOut => (Verdict.Bad, "No answer from Luma:BaseAddress within Luma:Deadline."),
                UpstreamFault.Malformed => (Verdict.Bad, $"It answers at Luma:BaseAddress, but does not speak {chosen.Name}: look at the path and version in Luma:BaseAddress, and at Luma:Dialect."),
                _ => (Verdict.Bad, $"It answers at Luma:BaseAddress, but fails: {exception.Fault}."),
            };
        }
    }

    /// <summary>Whose the upstream is. An answer that may be the chosen dialect's own is not taken for another's that asks the same.</summary>
    private async Task<string?> FindOtherAsync(IUpstreamDialect chosen, bool isDoubtful)
    {
        var own = DialectProbe.Of(chosen).Path;
        foreach (var other in dialects.Where(other => other.Name != chosen.Name && !(isDoubtful && DialectProbe.Of(other).Path == own)))
        {
            try
            {
                if ((await AskAsync(other)).IsRecognized is true)
                {
                    return other.Name;
                }
            }
            catch (UpstreamException)
            {
                // Not that one, or nothing can be told of it.
            }
        }

        return null;
    }

    private async Task<ProbeResult> AskAsync(IUpstreamDialect asked)
    {
        using var deadline = new Deadline(options.Value.Deadline, clock);
        return await upstream.ProbeAsync(DialectProbe.Of(asked), RequestId, deadline);
    }
}
