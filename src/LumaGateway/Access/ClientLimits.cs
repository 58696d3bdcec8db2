namespace LumaGateway.Access;

/// <summary>The limits that hold for one client; see <see cref="LimitsOptions"/> for what each means.</summary>
internal sealed record ClientLimits(int RequestsPerSecond, int Burst, int Concurrency, int UpstreamCost);
