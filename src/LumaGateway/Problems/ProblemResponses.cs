namespace LumaGateway.Problems;

/// <summary>Declares the problems of an endpoint for the OpenAPI document.</summary>
internal static class ProblemResponses
{
    /// <summary>The problems of an endpoint that reads generations.</summary>
    public static readonly ProblemKind[] OfReads =
    [
        ProblemKinds.InvalidId, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.GenerationNotFound, ProblemKinds.MethodNotAllowed,
        ProblemKinds.RateLimited, ProblemKinds.Internal, ProblemKinds.Unreachable, ProblemKinds.Failed, ProblemKinds.Rejected, ProblemKinds.Malformed,
        ProblemKinds.TokenRefused, ProblemKinds.OutOfCredit, ProblemKinds.Throttled, ProblemKinds.CircuitOpen, ProblemKinds.Saturated, ProblemKinds.LedgerUnavailable,
        ProblemKinds.IssuerUnavailable, ProblemKinds.TimedOut,
    ];

    /// <summary>The document lists the problems in this order.</summary>
    public static TBuilder ProducesGatewayProblems<TBuilder>(this TBuilder endpoint, params ProblemKind[] kinds)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new ProducedProblems(kinds));
}

/// <summary>Endpoint metadata: the problems that the endpoint returns.</summary>
internal sealed record ProducedProblems(IReadOnlyList<ProblemKind> Kinds);
