using System.Globalization;
using System.Net;
using System.Text.Json;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// The <c>code</c> of a wrapper or of an error object: good is <c>success</c>, 200, 0 or nothing. Any other refuses the answer: as the
/// fault it names where it names one (an HTTP status, <c>task_not_exist</c>), else as malformed.
/// </summary>
internal static class WireCode
{
    /// <summary>Refuses an answer whose status or wrapper is not a success.</summary>
    public static void RequireGood(HttpStatusCode status, JsonElement code)
    {
        var byStatus = WireStatus.FaultOf(status);
        var byCode = FaultOf(code);

        // A bare 400 says little: the code beside it may say that the id, the token or the credit is the reason.
        if (byStatus is UpstreamFault.Rejected && byCode is not (null or UpstreamFault.Malformed or UpstreamFault.Failed))
        {
            throw WireStatus.RefusalReason(byCode.Value, status);
        }

        WireStatus.RequireOk(status);
        if (byCode is { } fault)
        {
            throw new UpstreamException(fault, "The upstream answered 200 with a failure code in its wrapper.");
        }
    }

    /// <summary>Whether a code says that all is well.</summary>
    public static bool IsGood(JsonElement code) => FaultOf(code) is null;

    private static UpstreamFault? FaultOf(JsonElement code)
    {
        if (code.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.True or JsonValueKind.False)
        {
            return UpstreamFault.Malformed;
        }

        var text = code.Text()?.Trim();
        if (text is null || text.Equals("success", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        if (text.Equals("task_not_exist", StringComparison.OrdinalIgnoreCase))
        {
            return UpstreamFault.NotFound;
        }

        return decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? FaultOf(number)
            : UpstreamFault.Malformed;
    }

    private static UpstreamFault? FaultOf(decimal number) => number switch
    {
        0 => null,
        >= 200 and <= 599 when decimal.IsInteger(number) => WireStatus.FaultOf((HttpStatusCode)(int)number) switch
        {
            UpstreamFault.Rejected => UpstreamFault.Malformed,
            var fault => fault,
        },
        _ => UpstreamFault.Malformed,
    };
}
