namespace LumaGateway.Access;

/// <summary>The limits of one client. <see cref="LimitsOptions"/> describes each.</summary>
internal sealed record ClientLimits(int RequestsPerSecond, int Burst, int Concurrency, int UpstreamCost);
