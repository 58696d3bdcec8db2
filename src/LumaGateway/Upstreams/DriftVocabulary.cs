using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace LumaGateway.Upstreams;

/// <summary>The fields and types in the documented responses of a dialect. Finds those that are not documented. Pure.</summary>
internal sealed class DriftVocabulary
{
    private const int MaxDepth = 16;
    private const int MaxNameLength = 64;

    private const string LumaFields =
        "id generation_type type version state status failure_reason failure_code created_at completed_at assets video image progress_video thumbnail last_frame model "
        + "request callback_url output url layer has_more count limit offset generations prompt aspect_ratio width height duration next_cursor user_id "
        + "index label description alpha_hint bounds media_type error";

    private const string RelayFields =
        LumaFields + " code message request_id data task_id task_type artifact video_raw download_url palette liked estimate_wait_seconds result_url video_url fail_reason progress "
        + "submit_time start_time finish_time platform action channel_id group quota updated_at properties metadata format content outputs result input config meta logs "
        + "internal_state detail username private_data model_name user_prompt";

    private const string LumaTypes = "video image image_edit video_edit video_reframe layering upscale_video add_audio thumbnail last_frame exr";

    /// <summary>Objects of free form: the caller's request, errors, and data of the relay itself.</summary>
    private static readonly string[] Opaque =
        ["request", "input", "metadata", "palette", "config", "properties", "error", "detail", "meta", "logs", "private_data", "bounds"];

    private static readonly FrozenSet<string> Types = LumaTypes.Split(' ').ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private readonly FrozenDictionary<string, FieldContent>.AlternateLookup<ReadOnlySpan<char>> _fields;

    private DriftVocabulary(string fields) =>
        _fields = fields.Split(' ').ToFrozenDictionary(static name => name, ContentOf, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The vocabulary of Luma's own dialects, or of the relay family.</summary>
    public static DriftVocabulary Of(string dialect) => new(dialect is "dream-machine" or "agents" ? LumaFields : RelayFields);

    /// <summary>Whether a body has a field or a type that is not in the vocabulary. Allocates only for the values of <c>type</c>.</summary>
    public (bool HasUnknownField, bool HasUnknownType) Inspect(JsonElement body)
    {
        var (field, type) = (false, false);
        Inspect(body, MaxDepth, ref field, ref type);
        return (field, type);
    }

    private static FieldContent ContentOf(string field) => field switch
    {
        "type" or "generation_type" => FieldContent.Type,
        _ => Opaque.Contains(field) ? FieldContent.Opaque : FieldContent.Known,
    };

    private void Inspect(JsonElement element, int depth, ref bool hasUnknownField, ref bool hasUnknownType)
    {
        if (depth == 0)
        {
            return;
        }

        if (element.ValueKind is JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
            {
                Inspect(item, depth - 1, ref hasUnknownField, ref hasUnknownType);
            }
        }
        else if (element.ValueKind is JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                InspectProperty(property, depth, ref hasUnknownField, ref hasUnknownType);
            }
        }
    }

    private void InspectProperty(JsonProperty property, int depth, ref bool hasUnknownField, ref bool hasUnknownType)
    {
        var utf8Name = JsonMarshal.GetRawUtf8PropertyName(property);
        Span<char> buffer = stackalloc char[MaxNameLength];
        if (utf8Name.Length > MaxNameLength)
        {
            hasUnknownField = true;
            return;
        }

        ReadOnlySpan<char> name = buffer[..Encoding.UTF8.GetChars(utf8Name, buffer)];
        if (!_fields.TryGetValue(name, out var content))
        {
            hasUnknownField = true;
        }
        else if (content is FieldContent.Type)
        {
            hasUnknownType |= property.Value.ValueKind is JsonValueKind.String && !IsKnownType(property.Value);
        }
        else if (content is FieldContent.Known)
        {
            Inspect(property.Value, depth - 1, ref hasUnknownField, ref hasUnknownType);
        }
    }

    private static bool IsKnownType(JsonElement type)
    {
        try
        {
            return Types.Contains(type.GetString()!.Trim());
        }
        catch (InvalidOperationException)
        {
            return false; // not valid Unicode
        }
    }

    /// <summary>What a documented field contains.</summary>
    private enum FieldContent
    {
        /// <summary>A value or documented fields.</summary>
        Known,

        /// <summary>An object of free form, which is not inspected.</summary>
        Opaque,

        /// <summary>A type of a generation or an asset.</summary>
        Type,
    }
}
