using LumaGateway.Contracts;
using LumaGateway.Errors;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Features.Passthrough;

/// <summary>Makes what YARP could not carry a row of the one problem table.</summary>
internal static class ForwarderProblems
{
    public static async Task WriteAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);

        if (context.Features.Get<IForwarderErrorFeature>() is not { } failure || context.Response.HasStarted)
        {
            return;
        }

        var kind = failure.Error switch
        {
            _ when failure.Exception is UpstreamException fault => ProblemKinds.Of(fault.Fault),
            ForwarderError.RequestTimedOut or ForwarderError.UpgradeActivityTimeout => ProblemKinds.TimedOut,
            ForwarderError.NoAvailableDestinations => ProblemKinds.Unreachable,
            ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled => null, // the caller went away
            ForwarderError.RequestBodyClient => ProblemKinds.InvalidRequest,
            _ => ProblemKinds.Unreachable,
        };
        if (kind is not null)
        {
            await ProblemWriter.WriteAsync(context, kind);
        }
    }
}
