using System.Globalization;
using LumaGateway.Documentation;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.ApiExplorer;

namespace LumaGateway.OpenApi;

/// <summary>
/// The order of the gateway's own operations in the document, which Swagger UI keeps: by tag, path and method. A POST comes first, so that the page begins with the create; a DELETE comes last.
/// </summary>
internal static class OperationOrder
{
    /// <summary>Texts in ordinal order are operations in the order of the document.</summary>
    public static string KeyOf(ApiDescription operation)
    {
        var tag = operation.ActionDescriptor.EndpointMetadata.OfType<ITagsMetadata>().LastOrDefault()?.Tags is [var first, ..] ? first : null;
        var tagNumber = DocumentTags.All.TakeWhile(known => known.Name != tag).Count();
        var methodNumber = operation.HttpMethod switch { "POST" => 0, "GET" => 1, _ => 2 };
        return string.Create(CultureInfo.InvariantCulture, $"{tagNumber} {operation.RelativePath} {methodNumber}");
    }
}
