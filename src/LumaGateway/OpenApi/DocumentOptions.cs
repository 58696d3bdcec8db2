namespace LumaGateway.OpenApi;

/// <summary>Whether the OpenAPI document and Swagger UI are served. Bound to <c>Swagger</c>.</summary>
internal sealed class DocumentOptions
{
    public const string Section = "Swagger";

    /// <summary>Serves <c>/swagger</c> and <c>/openapi/v1.json</c>.</summary>
    public bool Enabled { get; set; } = true;
}
