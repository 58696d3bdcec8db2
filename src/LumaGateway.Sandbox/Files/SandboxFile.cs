namespace LumaGateway.Sandbox.Files;

/// <summary>A file of the Agents API. Its bytes are not kept.</summary>
/// <param name="Id">The id.</param>
/// <param name="State"><c>pending</c>, <c>ready</c>, <c>failed</c> or <c>deleted</c>.</param>
/// <param name="MimeType">As the caller gave it.</param>
/// <param name="SizeBytes">As the caller gave it.</param>
/// <param name="FileName">As the caller gave it; null if it gave none.</param>
/// <param name="Purpose"><c>input</c> or <c>reference</c>.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="UploadedBytes">The size of the upload; null before it.</param>
internal sealed record SandboxFile(
    string Id, string State, string MimeType, long SizeBytes, string? FileName, string Purpose, DateTimeOffset CreatedAt, long? UploadedBytes);
