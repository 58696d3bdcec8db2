using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using Microsoft.OpenApi;

namespace LumaGateway.OpenApi;

/// <summary>Parameters and bodies of the upstream's own API. The bodies are JSON of any shape, because the upstream defines them.</summary>
internal static class PassthroughBodies
{
    private const string ObjectName = "UpstreamObject";
    private const string ErrorName = "UpstreamError";
    private const string KeyName = "idempotencyKey";
    private const string AccountName = "account";
    private const string Json = "application/json";

    /// <summary>The uploads of the Agents API, which are multipart or JSON.</summary>
    private const string FilesPath = "/luma/files";

    /// <summary>Ends an upload; its body is optional.</summary>
    private const string CompletePath = "/luma/files/{id}/complete";

    /// <summary>The lists of words, which are arrays.</summary>
    private static readonly string[] Lists = ["/luma/generations/concepts/list", "/luma/generations/camera_motion/list"];

    /// <summary>Adds what several operations refer to. Runs after <see cref="SharedParts"/>.</summary>
    public static void AddParts(OpenApiDocument document)
    {
        var components = document.Components!;
        components.Schemas![ObjectName] = FreeForm("A JSON object of the upstream's own API, unchanged.");
        components.Schemas[ErrorName] = FreeForm("An error of the upstream, unchanged.");
        components.Responses![ObjectName] = Response("The upstream's response", ObjectName, document);
        components.Responses[ErrorName] = Response("The upstream's error", ErrorName, document);
        components.RequestBodies = new Dictionary<string, IOpenApiRequestBody>
        {
            [ObjectName] = new OpenApiRequestBody { Required = true, Content = Content(new OpenApiSchemaReference(ObjectName, document)) },
        };
        components.Parameters![KeyName] = new OpenApiParameter
        {
            Name = IdempotencyMiddleware.KeyHeader,
            In = ParameterLocation.Header,
            Description = $"1 to 255 visible ASCII characters. A request with the same key and body gets the recorded response, with the header `{IdempotencyMiddleware.ReplayedHeader}: true`. A create with an unknown outcome is never sent again.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 255 },
        };
        components.Parameters[AccountName] = new OpenApiParameter
        {
            Name = AccountMiddleware.Header,
            In = ParameterLocation.Header,
            Description = "The name of an upstream account of the gateway. By default the gateway chooses the account.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };
    }

    /// <summary>The parameter <c>Idempotency-Key</c>.</summary>
    public static OpenApiParameterReference Key(OpenApiDocument document) => new(KeyName, document);

    /// <summary>The parameter <c>X-Luma-Account</c>.</summary>
    public static OpenApiParameterReference Account(OpenApiDocument document) => new(AccountName, document);

    public static IEnumerable<IOpenApiParameter> ParametersOf(string path, string method, OpenApiDocument document) =>
        OwnParametersOf(path, method, document).Prepend(Account(document));

    /// <summary>Null for methods without a body.</summary>
    public static IOpenApiRequestBody? RequestOf(string path, string method, OpenApiDocument document)
    {
        if (!HasBody(method))
        {
            return null;
        }

        if (path is CompletePath)
        {
            return new OpenApiRequestBody { Content = Content(new OpenApiSchemaReference(ObjectName, document)) };
        }

        if (path is not FilesPath)
        {
            return new OpenApiRequestBodyReference(ObjectName, document);
        }

        var body = new OpenApiRequestBody { Required = true, Content = Content(new OpenApiSchemaReference(ObjectName, document)) };
        body.Content!["multipart/form-data"] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Properties = new Dictionary<string, IOpenApiSchema> { ["file"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } },
            },
        };
        return body;
    }

    public static OpenApiResponses ResponsesOf(string path, string method, OpenApiDocument document)
    {
        OpenApiResponses responses = [];
        if (HttpMethods.IsDelete(method))
        {
            responses["204"] = new OpenApiResponse { Description = "Deleted" };
        }
        else
        {
            responses["200"] = Lists.Contains(path)
                ? new OpenApiResponse { Description = "The upstream's list", Content = Content(new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema() }) }
                : new OpenApiResponseReference(ObjectName, document);
        }

        if (HasBody(method))
        {
            responses["201"] = new OpenApiResponseReference(ObjectName, document);
        }

        responses["default"] = new OpenApiResponseReference(ErrorName, document);
        return responses;
    }

    private static IEnumerable<IOpenApiParameter> OwnParametersOf(string path, string method, OpenApiDocument document) => (path, method.ToUpperInvariant()) switch
    {
        ("/luma/generations", "GET") => [Query("limit", "Dream Machine: how many generations to return.", JsonSchemaType.Integer), Query("offset", "Dream Machine: how many generations to skip.", JsonSchemaType.Integer)],
        (FilesPath, "GET") =>
        [
            Query("limit", "How many files to return: 1 to 100, by default 25.", JsonSchemaType.Integer),
            Query("cursor", "`next_cursor` of the previous page.", JsonSchemaType.String),
            Query("purpose", "Only files with this purpose: `input` or `reference`.", JsonSchemaType.String),
            Query("state", "Only files in this state: `pending`, `ready`, `failed` or `deleted`.", JsonSchemaType.String),
        ],
        (_, "POST") => [Key(document)],
        _ => [],
    };

    public static bool HasBody(string method) => HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method);

    private static OpenApiResponse Response(string description, string schema, OpenApiDocument document) => new()
    {
        Description = description,
        Content = Content(new OpenApiSchemaReference(schema, document)),
    };

    private static Dictionary<string, IOpenApiMediaType> Content(IOpenApiSchema schema) => new() { [Json] = new OpenApiMediaType { Schema = schema } };

    private static OpenApiSchema FreeForm(string description) => new() { Type = JsonSchemaType.Object, Description = description, AdditionalProperties = new OpenApiSchema() };

    private static OpenApiParameter Query(string name, string description, JsonSchemaType type) => new()
    {
        Name = name,
        In = ParameterLocation.Query,
        Description = description,
        Schema = new OpenApiSchema { Type = type },
    };
}
