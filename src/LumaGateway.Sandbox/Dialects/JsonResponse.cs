using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>A JSON body with a known length, so that a fault can truncate it.</summary>
internal sealed class JsonResponse(int status, byte[] body) : IResult
{
    // Ampersands in URLs are not escaped, as in the upstreams' JSON.
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public JsonResponse(int status, JsonNode body)
        : this(status, BytesOf(body))
    {
    }

    public static string TextOf(JsonNode body) => body.ToJsonString(Relaxed);

    public static byte[] BytesOf(JsonNode body) => Encoding.UTF8.GetBytes(TextOf(body));

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        httpContext.Response.ContentType = "application/json";
        httpContext.Response.ContentLength = body.Length;
        await httpContext.Response.Body.WriteAsync(body, httpContext.RequestAborted);
    }
}
