using LumaGateway.Contracts;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Features.Check;

/// <summary>
/// Asks for a generation that cannot exist, as a read would: the answer wanted is that there is none. A token that was refused comes before that with
/// every upstream. A wrong path on a host that answers 404 to everything cannot be told from it.
/// </summary>
internal sealed class UpstreamCheck(UpstreamClient upstream, IOptions<LumaOptions> options, TimeProvider clock) : IConnectionCheck
{
    public string Name => "upstream";

    public async Task<(Verdict Verdict, string Says)> TryAsync()
    {
        GenerationId.TryParse(Guid.Empty.ToString(), null, out var nobody);
        using var deadline = new Deadline(options.Value.Deadline, clock);
        try
        {
            await upstream.GetAsync(nobody, "check", deadline);
            return Accepted();
        }
        catch (UpstreamException exception)
        {
            return exception.Fault switch
            {
                UpstreamFault.NotFound => Accepted(),
                UpstreamFault.TokenRefused => (Verdict.Bad, "It refuses the token of Luma:ApiKey or Luma:ApiKeyFile."),
                UpstreamFault.OutOfCredit => (Verdict.Bad, "It takes the token, but the account is out of credit."),
                UpstreamFault.Throttled => (Verdict.Good, "It answers at Luma:BaseAddress, but asks to be left alone just now: the token was not judged."),
                UpstreamFault.Unreachable => (Verdict.Bad, $"Nobody can be reached at Luma:BaseAddress. {exception.Message}"),
                UpstreamFault.TimedOut => (Verdict.Bad, "No answer from Luma:BaseAddress within Luma:Deadline."),
                UpstreamFault.Malformed or UpstreamFault.Rejected =>
                    (Verdict.Bad, "Whoever answers does not speak the dialect: look at Luma:BaseAddress and Luma:Dialect."),
                _ => (Verdict.Bad, $"It answers at Luma:BaseAddress, but fails: {exception.Fault}."),
            };
        }
    }

    private static (Verdict Verdict, string Says) Accepted() => (Verdict.Good, "It answers at Luma:BaseAddress and takes the token.");
}
