namespace LumaGateway.Jobs;

/// <summary>Request feature: the generation that the request created.</summary>
/// <param name="Id">Its id.</param>
internal sealed record RecordedJob(string Id);
