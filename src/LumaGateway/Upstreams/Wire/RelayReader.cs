using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Reads the responses of the relay family: relay, new-api, PiAPI and their forks. The body may be flat, or wrapped in <c>data</c> or <c>output</c> up to
/// three times, with a task in every wrapper, and every part may be JSON in a string.
/// </summary>
/// <remarks>
/// The objects on the path from the root to the innermost body are <em>layers</em>. Leading layers without a task of their own are <em>envelopes</em>: only
/// their <c>code</c> and <c>error</c> count. Order of precedence:
/// <list type="bullet">
/// <item>id: the outermost layer with an id counts; <c>task_id</c> before <c>id</c>. It must be the requested id.</item>
/// <item>state: the outermost layer with a state counts, even if the state is unknown; in one layer <c>state</c> or <c>status</c> first, as
/// <see cref="RelayRules.PrefersStatus"/> says, then <c>internal_state</c>.</item>
/// <item>error: the code of an envelope, then of a flat task that has not failed; then the failure of the layers, the outermost first.</item>
/// <item>time: the outermost layer; <c>created_at</c>, <c>submit_time</c>. Last the <c>artifact</c> of each layer.</item>
/// <item>model: <c>input.model_name</c>, then <c>model</c> and <c>model_name</c> of the layers, then of <c>request</c>.</item>
/// <item>prompt, aspect ratio: <c>input</c> and <c>request</c> of the layers, then the layers themselves.</item>
/// <item>links: see <see cref="RelayAssets"/>. They alone are read from the innermost layer outwards.</item>
/// </list>
/// </remarks>
internal static class RelayReader
{
    /// <summary>Throws no exception other than <see cref="Problems.UpstreamException"/>.</summary>
    public static DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body, RelayRules rules)
    {
        var root = body.UnwrapJson();
        if (status is not HttpStatusCode.OK)
        {
            WireCode.RequireSuccess(status, ErrorCodeOf(root));
        }

        var buffer = default(RelayLayers);
        var layers = buffer.Fill(root);
        var task = RelayLayers.RejectEnvelopes(layers);
        layers = layers[task..];

        var state = StateOf(layers, rules);
        RequireTask(id, layers, state, isRoot: task == 0, root);
        var failure = WireFailure.Read(state, layers);
        var assets = RelayAssets.Read(layers, state.State is GenerationState.Completed, rules);

        return new DialectResult(
            new Generation(
                id.Value,
                state.State,
                CreatedAtOf(layers),
                ModelOf(layers),
                DetailOf(layers, "prompt") ?? DetailOf(layers, "user_prompt"),
                DetailOf(layers, "aspect_ratio"),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                assets.Outputs,
                failure,
                assets.ExpiresAt),
            state.IsKnown);
    }

    // The code of an error response. With status 400 it says whether the id is unknown.
    private static JsonElement ErrorCodeOf(JsonElement root)
    {
        var code = root.Property("code");
        code = code.AsText() is null ? root.Property("error").Property("code") : code;
        return code.AsText() is null ? root.Property("detail").Property("code") : code;
    }

    private static void RequireTask(GenerationId id, ReadOnlySpan<JsonElement> layers, WireState state, bool isRoot, JsonElement root)
    {
        var given = IdOf(layers);
        var isFailedTask = state.State is GenerationState.Failed && given.AsText() == id.Value;
        if (isRoot && !isFailedTask)
        {
            WireCode.RequireSuccess(HttpStatusCode.OK, root.Property("code"));
        }

        given.RequireId(id);
    }

    private static JsonElement IdOf(ReadOnlySpan<JsonElement> layers)
    {
        foreach (var layer in layers)
        {
            var id = layer.Property("task_id");
            id = RelayLayers.IsGiven(id) ? id : layer.Property("id");
            if (RelayLayers.IsGiven(id))
            {
                return id;
            }
        }

        return default;
    }

    private static WireState StateOf(ReadOnlySpan<JsonElement> layers, RelayRules rules)
    {
        foreach (var layer in layers)
        {
            var (first, second) = rules.PrefersStatus ? ("status", "state") : ("state", "status");
            if ((layer.Property(first).AsText() ?? layer.Property(second).AsText() ?? layer.Property("internal_state").AsText()) is { } state)
            {
                return WireState.Parse(state);
            }
        }

        return WireState.Parse(null);
    }

    private static DateTimeOffset? CreatedAtOf(ReadOnlySpan<JsonElement> layers)
    {
        foreach (var layer in layers)
        {
            if ((layer.Property("created_at").AsTime() ?? layer.Property("submit_time").AsTime()) is { } time)
            {
                return time;
            }
        }

        foreach (var layer in layers)
        {
            if (layer.Property("artifact").Property("created_at").AsTime() is { } time)
            {
                return time;
            }
        }

        return null;
    }

    private static string? ModelOf(ReadOnlySpan<JsonElement> layers)
    {
        foreach (var layer in layers)
        {
            if (layer.Property("input").Property("model_name").AsText() is { } model)
            {
                return model;
            }
        }

        foreach (var layer in layers)
        {
            if ((layer.Property("model").AsText() ?? layer.Property("model_name").AsText()) is { } model)
            {
                return model;
            }
        }

        foreach (var layer in layers)
        {
            var request = layer.Property("request");
            if ((request.Property("model").AsText() ?? request.Property("model_name").AsText()) is { } model)
            {
                return model;
            }
        }

        return null;
    }

    private static string? DetailOf(ReadOnlySpan<JsonElement> layers, string name)
    {
        foreach (var layer in layers)
        {
            if ((layer.Property("input").Property(name).AsText() ?? layer.Property("request").Property(name).AsText()) is { } detail)
            {
                return detail;
            }
        }

        foreach (var layer in layers)
        {
            if (layer.Property(name).AsText() is { } detail)
            {
                return detail;
            }
        }

        return null;
    }
}
