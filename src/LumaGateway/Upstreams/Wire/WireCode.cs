using System.Globalization;
using System.Net;
using System.Text.Json;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// The <c>code</c> of a wrapper or of an error object. <c>success</c>, 200, 0 and a missing code mean success. An HTTP status or <c>task_not_exist</c>
/// means the corresponding fault, and any other code a malformed response.
/// </summary>
internal static class WireCode
{
    /// <summary>Throws if the status or the code does not mean success.</summary>
    public static void RequireSuccess(HttpStatusCode status, JsonElement code)
    {
        var statusFault = WireStatus.FaultOf(status);
        var codeFault = FaultOf(code);

        // With status 400 the code may be more specific: the id, the token or the credit is the reason.
        if (statusFault is UpstreamFault.Rejected && codeFault is not (null or UpstreamFault.Malformed or UpstreamFault.Failed))
        {
            throw WireStatus.ExceptionFor(codeFault.Value, status);
        }

        WireStatus.RequireOk(status);
        if (codeFault is { } fault)
        {
            throw new UpstreamException(fault, "The upstream responded with 200 and a failure code.");
        }
    }

    /// <summary>Whether a code means success.</summary>
    public static bool IsSuccess(JsonElement code) => FaultOf(code) is null;

    private static UpstreamFault? FaultOf(JsonElement code)
    {
        if (code.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.True or JsonValueKind.False)
        {
            return UpstreamFault.Malformed;
        }

        var text = code.AsText()?.Trim();
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
