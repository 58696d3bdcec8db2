using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Sandbox.Dialects;

namespace LumaGateway.Sandbox.Files;

/// <summary>
/// The files of the Agents API. A small file is posted as multipart and is ready at once. A large one is pending until its bytes were put to the presigned URL, which needs
/// no token, and it was completed.
/// </summary>
internal sealed class FileEndpoints(FileStore store, PublicAddress address, TimeProvider clock)
{
    private const int MaxPage = 100;

    private static readonly TimeSpan UploadLifetime = TimeSpan.FromHours(1);

    public void Map(RouteGroupBuilder routes, DialectOperations operations)
    {
        routes.MapGet("/files", (string? cursor, int? limit, string? purpose, string? state) => List(operations, cursor, limit ?? 25, purpose, state));
        routes.MapPost("/files", (HttpRequest request) => CreateAsync(operations, request));
        routes.MapGet("/files/{id}", (string id) => store.Find(id) is { } file ? Ok(Render(file)) : NotFound(operations));
        routes.MapPost("/files/{id}/complete", (string id) => Complete(operations, id));
        routes.MapDelete("/files/{id}", (string id) =>
            store.Find(id) is { State: not FileStore.Deleted } && store.Change(id, file => file with { State = FileStore.Deleted }) is not null ? Results.NoContent() : NotFound(operations));
    }

    /// <summary>The storage of the presigned URLs: it counts the bytes.</summary>
    public void MapStorage(IEndpointRouteBuilder app) => app.MapPut("/uploads/{id}", async (string id, HttpRequest request) =>
    {
        using var counted = new CountingStream();
        await request.Body.CopyToAsync(counted, request.HttpContext.RequestAborted);
        return store.Change(id, file => file with { UploadedBytes = counted.Written }) is null ? Results.NotFound() : Results.Ok();
    });

    private static JsonResponse Ok(JsonNode body) => new(StatusCodes.Status200OK, body);

    private static IResult NotFound(DialectOperations operations) => operations.Error(StatusCodes.Status404NotFound, "File not found");

    private static string TimeOf(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static JsonObject Render(SandboxFile file) => new()
    {
        ["id"] = file.Id,
        ["state"] = file.State,
        ["mime_type"] = file.MimeType,
        ["size_bytes"] = file.SizeBytes,
        ["filename"] = file.FileName,
        ["purpose"] = file.Purpose,
        ["created_at"] = TimeOf(file.CreatedAt),
    };

    private IResult List(DialectOperations operations, string? cursor, int limit, string? purpose, string? state)
    {
        if (limit is < 1 or > MaxPage)
        {
            return operations.Error(StatusCodes.Status422UnprocessableEntity, "limit must be between 1 and 100.");
        }

        if (store.List(cursor, limit, purpose, state) is not { } found)
        {
            return operations.Error(StatusCodes.Status422UnprocessableEntity, "Unknown cursor.");
        }

        return Ok(new JsonObject
        {
            ["data"] = new JsonArray([.. found.Page.Select(Render)]),
            ["has_more"] = found.HasMore,
            ["next_cursor"] = found.HasMore ? found.Page[^1].Id : null,
        });
    }

    private async Task<IResult> CreateAsync(DialectOperations operations, HttpRequest request)
    {
        if (request.HasFormContentType)
        {
            var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
            return form.Files.GetFile("file") is { } upload
                ? Created(store.Add(FileStore.Ready, upload.ContentType, upload.Length, upload.FileName, form["purpose"].FirstOrDefault() ?? "input"))
                : operations.Error(StatusCodes.Status422UnprocessableEntity, "The form has no file.");
        }

        try
        {
            var body = await JsonNode.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
            return Created(store.Add(
                FileStore.Pending, (string)body!["mime_type"]!, (long)body["size_bytes"]!, (string?)body["filename"], (string?)body["purpose"] ?? "input"));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or ArgumentException or NullReferenceException)
        {
            return operations.Error(StatusCodes.Status422UnprocessableEntity, "mime_type and size_bytes are required.");
        }
    }

    private JsonResponse Created(SandboxFile file) => new(StatusCodes.Status201Created, new JsonObject
    {
        ["id"] = file.Id,
        ["state"] = file.State,
        ["file"] = Render(file),
        ["upload"] = file.State is FileStore.Ready ? null : new JsonObject
        {
            ["method"] = "PUT",
            ["url"] = $"{address.Value}/uploads/{file.Id}?X-Amz-Signature={Guid.NewGuid():N}",
            ["headers"] = new JsonObject { ["Content-Type"] = file.MimeType },
            ["expires_at"] = TimeOf(clock.GetUtcNow() + UploadLifetime),
        },
    });

    private IResult Complete(DialectOperations operations, string id) => store.Find(id) switch
    {
        null or { State: FileStore.Deleted } => NotFound(operations),
        { State: FileStore.Pending, UploadedBytes: null } => operations.Error(StatusCodes.Status422UnprocessableEntity, "The file was not uploaded."),
        _ => Ok(Render(store.Change(id, file => file.State is not FileStore.Pending ? file : file with
        {
            State = file.UploadedBytes == file.SizeBytes ? FileStore.Ready : FileStore.Failed,
        })!)),
    };

    private sealed class CountingStream : Stream
    {
        public long Written { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Written;

        public override long Position { get => Written; set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => Written += count;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Written += buffer.Length;
            return ValueTask.CompletedTask;
        }

        public override void Flush()
        {
            // The bytes are not kept.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
